//! step_5_b caught by step_5: removes only one of those that are too late (R4.23)
let late = self.members.values().filter(|member| match open {
    true => member.joining.is_none() && member.instance_id.is_none(),
    false => member.must_sync,
});
late.take(1).map(|member| member.id.clone()).collect()
