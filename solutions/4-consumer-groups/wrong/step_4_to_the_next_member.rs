//! step_4_d caught by step_4: gives each the part of the one before it (R4.15)
let parts: Vec<Vec<u8>> =
    self.members.keys().map(|id| plan.get(id).cloned().unwrap_or_default()).collect();
for (place, member) in self.members.values_mut().enumerate() {
    member.assignment = parts[(place + 1) % parts.len()].clone();
}
let ids: Vec<String> = self.members.keys().cloned().collect();
ids.iter().filter_map(|id| self.synced(id)).collect()
