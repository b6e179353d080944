//! step_5_b caught by step_5: removes those that have joined (R4.23)
let late = self.members.values().filter(|member| match open {
    true => member.joining.is_some() && member.instance_id.is_none(),
    false => member.must_sync,
});
late.map(|member| member.id.clone()).collect()
