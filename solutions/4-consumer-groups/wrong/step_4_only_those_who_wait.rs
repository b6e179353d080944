//! step_4_d caught by step_4: writes parts down for those only that wait for them (R4.15)
for member in self.members.values_mut().filter(|member| member.syncing.is_some()) {
    member.assignment = plan.get(&member.id).cloned().unwrap_or_default();
}
let ids: Vec<String> = self.members.keys().cloned().collect();
ids.iter().filter_map(|id| self.synced(id)).collect()
