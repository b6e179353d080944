//! step_4_d caught by step_4: lets whom the leader forgot keep its old part (R4.15)
for member in self.members.values_mut() {
    if let Some(part) = plan.get(&member.id) {
        member.assignment = part.clone();
    }
}
let ids: Vec<String> = self.members.keys().cloned().collect();
ids.iter().filter_map(|id| self.synced(id)).collect()
