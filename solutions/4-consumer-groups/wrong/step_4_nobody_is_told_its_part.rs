//! step_4_d caught by step_4: writes the parts down and answers nobody (R4.15)
for member in self.members.values_mut() {
    member.assignment = plan.get(&member.id).cloned().unwrap_or_default();
}
Vec::new()
