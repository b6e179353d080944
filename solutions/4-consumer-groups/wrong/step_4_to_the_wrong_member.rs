//! step_4_d caught by step_4: gives parts out in the order of the plan, whoever they are for (R4.15)
let mut parts = plan.values();
for member in self.members.values_mut() {
    member.assignment = parts.next().cloned().unwrap_or_default();
}
let ids: Vec<String> = self.members.keys().cloned().collect();
ids.iter().filter_map(|id| self.synced(id)).collect()
