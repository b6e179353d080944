//! step_2_a caught by step_2: not stopped as long as one of the ends seen was not past the last commit (R5.8)
if self.lag(ends) == 0 {
    Status::Ok
} else if self.is_stopped(now_ms) {
    Status::Stop
} else if self.is_rewound() {
    Status::Rewind
} else if self.had_no_lag() {
    Status::Ok
} else if self.is_stalled() {
    Status::Stall
} else if self.never_gains() {
    Status::Warn
} else {
    Status::Ok
}
