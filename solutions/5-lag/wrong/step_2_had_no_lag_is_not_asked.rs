//! step_2_a caught by step_2: if nothing was left at one commit all is well (R5.10)
if self.lag(ends) == 0 {
    Status::Ok
} else if self.is_stopped(now_ms) && !self.was_at_the_end(ends) {
    Status::Stop
} else if self.is_rewound() {
    Status::Rewind
} else if self.is_stalled() {
    Status::Stall
} else if self.never_gains() {
    Status::Warn
} else {
    Status::Ok
}
