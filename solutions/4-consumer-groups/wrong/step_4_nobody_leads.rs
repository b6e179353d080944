//! step_4_b caught by step_5: finds nobody if the leader is not here (R4.13)
let joined = |member: &&Member| member.joining.is_some();
let leader = self.leader.as_ref().map(|id| &self.members[id]);
leader.filter(joined).map(|member| member.id.clone())
