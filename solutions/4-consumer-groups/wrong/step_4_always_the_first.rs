//! step_4_b caught by step_4: lets the first member lead, though the leader is here (R4.13)
let joined = |member: &&Member| member.joining.is_some();
self.members.values().find(joined).map(|member| member.id.clone())
