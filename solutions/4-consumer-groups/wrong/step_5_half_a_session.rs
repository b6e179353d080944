//! step_5_a caught by step_5: takes members for dead after half of their session timeout (R4.21)
let silent_ms = self.now_ms - member.heard_ms;
!member.is_waiting() && silent_ms * 2 >= member.session_timeout_ms
