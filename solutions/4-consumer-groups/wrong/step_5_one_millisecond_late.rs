//! step_5_a caught by step_5: wants more than the session timeout (R4.21)
let silent_ms = self.now_ms - member.heard_ms;
!member.is_waiting() && silent_ms > member.session_timeout_ms
