//! step_4_a caught by step_4: does not wait for whoever was given an id (R4.12)
self.members.values().all(|member| member.joining.is_some())
