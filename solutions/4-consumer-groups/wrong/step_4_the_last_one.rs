//! step_4_b caught by step_5: lets the last member lead if the leader is not here (R4.13)
let joined = |member: &&Member| member.joining.is_some();
let leader = self.leader.as_ref().map(|id| &self.members[id]);
let next = leader.filter(joined).or_else(|| self.members.values().rev().find(joined));
next.map(|member| member.id.clone())
