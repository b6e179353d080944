//! step_5_a caught by step_5: counts in heartbeats of three seconds (R4.21)
let silent_ms = self.now_ms - member.heard_ms;
!member.is_waiting() && silent_ms / 3_000 > member.session_timeout_ms / 3_000
