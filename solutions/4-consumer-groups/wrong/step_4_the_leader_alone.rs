//! step_4_c caught by step_4: tells the leader of itself alone (R4.14)
if self.leader.as_deref() == Some(member) {
    all.filter(|listed| listed.member == member).collect()
} else {
    Vec::new()
}
