//! step_4_b caught by step_4: lets the first member lead, though the leader is here (R4.13)
let joined = |id: &&String| self.members[*id].joining.is_some();
self.members.keys().find(joined).cloned()
