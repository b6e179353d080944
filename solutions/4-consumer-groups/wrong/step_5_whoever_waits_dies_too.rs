//! step_5_a caught by step_5: takes members for dead that wait for an answer (R4.22)
let silent_ms = self.now_ms - member.heard_ms;
silent_ms >= member.session_timeout_ms
