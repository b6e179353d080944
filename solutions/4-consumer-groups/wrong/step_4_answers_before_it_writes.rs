//! step_4_d caught by step_4: answers with the parts of the plan before (R4.15)
let ids: Vec<String> = self.members.keys().cloned().collect();
let next = ids.iter().filter_map(|id| self.synced(id)).collect();
for member in self.members.values_mut() {
    member.assignment = plan.get(&member.id).cloned().unwrap_or_default();
}
next
