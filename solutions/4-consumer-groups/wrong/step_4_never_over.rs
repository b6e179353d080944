//! step_4_a caught by step_4: never ends a round by itself (R4.12)
let joined = self.members.values().all(|member| member.joining.is_some());
joined && !self.pending.is_empty()
