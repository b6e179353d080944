//! step_5_a caught by step_5: takes for dead only those that wait (R4.21 R4.22)
let silent_ms = self.now_ms - member.heard_ms;
member.is_waiting() && silent_ms >= member.session_timeout_ms
