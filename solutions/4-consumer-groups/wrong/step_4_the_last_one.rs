//! step_4_b caught by step_5: lets the last member lead if the leader is not here (R4.13)
let joined = |id: &&String| self.members[*id].joining.is_some();
let same = self.leader.as_ref().filter(joined);
same.or_else(|| self.members.keys().rev().find(joined)).cloned()
