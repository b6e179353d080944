//! step_4_d caught by step_4: gives everybody all parts (R4.15)
let all: Vec<u8> = plan.values().flatten().copied().collect();
for member in self.members.values_mut() {
    member.assignment = all.clone();
}
let ids: Vec<String> = self.members.keys().cloned().collect();
ids.iter().filter_map(|id| self.synced(id)).collect()
