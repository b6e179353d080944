//! step_4_b caught by step_5: lets a member lead that has not joined (R4.13)
let joined = |member: &&Member| member.joining.is_some();
let leader = self.leader.as_ref().map(|id| &self.members[id]);
let next = leader.filter(joined).or_else(|| self.members.values().next_back());
next.map(|member| member.id.clone())
