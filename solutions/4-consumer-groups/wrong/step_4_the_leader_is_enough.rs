//! step_4_a caught by step_4: ends a round as soon as the leader has joined (R4.12)
let leader = self.leader.as_ref().map(|id| &self.members[id]);
leader.is_none_or(|member| member.joining.is_some()) && self.pending.is_empty()
