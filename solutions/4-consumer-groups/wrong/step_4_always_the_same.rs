//! step_4_b caught by step_5: keeps a leader that has not joined (R4.13)
let _: Option<&Member> = None;
self.leader.clone()
