//! step_5_a caught by step_5: takes nobody for dead while a round is open (R4.21)
let silent_ms = self.now_ms - member.heard_ms;
let open = self.state == State::PreparingRebalance;
!open && !member.is_waiting() && silent_ms >= member.session_timeout_ms
