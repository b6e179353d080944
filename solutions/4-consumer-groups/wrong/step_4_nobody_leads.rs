//! step_4_b caught by step_5: finds nobody if the leader is not here (R4.13)
let joined = |id: &&String| self.members[*id].joining.is_some();
self.leader.as_ref().filter(joined).cloned()
