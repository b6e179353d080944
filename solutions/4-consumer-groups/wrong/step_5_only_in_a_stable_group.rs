//! step_5_a caught by step_5: takes nobody for dead while the plan is being made (R4.21)
let silent_ms = self.now_ms - member.heard_ms;
let stable = self.state == State::Stable;
stable && !member.is_waiting() && silent_ms >= member.session_timeout_ms
