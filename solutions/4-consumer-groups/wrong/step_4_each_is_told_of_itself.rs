//! step_4_c caught by step_4: tells each of itself (R4.14)
if self.leader.as_deref() == Some(member) {
    all.collect()
} else {
    all.filter(|listed| listed.member == member).collect()
}
