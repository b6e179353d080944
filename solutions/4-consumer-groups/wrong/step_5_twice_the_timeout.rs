//! step_5_a caught by step_5: waits for two session timeouts (R4.21)
let silent_ms = self.now_ms - member.heard_ms;
!member.is_waiting() && silent_ms >= 2 * member.session_timeout_ms
