//! step_5_a caught by step_5: takes static members for immortal (R4.21)
let silent_ms = self.now_ms - member.heard_ms;
let known = member.instance_id.is_some();
!known && !member.is_waiting() && silent_ms >= member.session_timeout_ms
