//! step_4_d caught by step_4: answers only those that the plan mentions (R4.15)
for member in self.members.values_mut() {
    member.assignment = plan.get(&member.id).cloned().unwrap_or_default();
}
plan.keys().filter_map(|id| self.synced(id)).collect()
