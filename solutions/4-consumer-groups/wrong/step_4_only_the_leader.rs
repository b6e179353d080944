//! step_4_d caught by step_4: answers the leader alone (R4.15)
for member in self.members.values_mut() {
    member.assignment = plan.get(&member.id).cloned().unwrap_or_default();
}
let leader = self.leader.clone().unwrap_or_default();
self.synced(&leader).into_iter().collect()
