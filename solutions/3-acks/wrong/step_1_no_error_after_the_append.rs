//! step_1 caught by step_4: says yes though too few are in sync by now (R3.3)
if acks != Acks::All {
    return Answer::Now;
}
if self.high_watermark <= last {
    return Answer::Wait;
}
Answer::Now
