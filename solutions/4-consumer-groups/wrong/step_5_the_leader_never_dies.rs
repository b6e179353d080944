//! step_5_a caught by step_5: takes the leader for immortal (R4.21)
let silent_ms = self.now_ms - member.heard_ms;
let leads = self.leader.as_ref() == Some(&member.id);
!leads && !member.is_waiting() && silent_ms >= member.session_timeout_ms
