//! step_5_b caught by step_5: removes those that wait for the plan too (R4.24)
let late = self.members.values().filter(|member| match open {
    true => member.joining.is_none() && member.instance_id.is_none(),
    false => member.must_sync || member.syncing.is_some(),
});
late.map(|member| member.id.clone()).collect()
