//! step_5_b caught by step_5: removes static members, and those alone (R4.23)
let late = self.members.values().filter(|member| match open {
    true => member.joining.is_none() && member.instance_id.is_some(),
    false => member.must_sync,
});
late.map(|member| member.id.clone()).collect()
