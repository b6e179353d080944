//! step_5_a caught by step_5: thinks that only a join waits (R4.22)
let silent_ms = self.now_ms - member.heard_ms;
member.joining.is_none() && silent_ms >= member.session_timeout_ms
