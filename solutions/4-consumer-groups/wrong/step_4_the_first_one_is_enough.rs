//! step_4_a caught by step_4: ends a round with the first who joins (R4.12)
let joined = self.members.values().any(|member| member.joining.is_some());
joined && self.pending.is_empty()
