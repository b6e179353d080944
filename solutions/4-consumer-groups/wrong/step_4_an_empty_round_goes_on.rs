//! step_4_a caught by step_4: does not end a round that nobody is left in (R4.12 R4.16)
let joined = self.members.values().all(|member| member.joining.is_some());
joined && self.pending.is_empty() && !self.members.is_empty()
