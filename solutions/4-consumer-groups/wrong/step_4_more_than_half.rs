//! step_4_a caught by step_4: ends a round with a majority (R4.12)
let joined = self.members.values().filter(|member| member.joining.is_some()).count();
joined * 2 > self.members.len() && self.pending.is_empty()
