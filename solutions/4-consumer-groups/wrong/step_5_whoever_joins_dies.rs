//! step_5_a caught by step_5: thinks that only a sync waits (R4.22)
let silent_ms = self.now_ms - member.heard_ms;
member.syncing.is_none() && silent_ms >= member.session_timeout_ms
