//! step_5_b caught by step_5: removes those that were told long ago (R4.24)
let late = self.members.values().filter(|member| match open {
    true => member.joining.is_none() && member.instance_id.is_none(),
    false => member.syncing.is_none(),
});
late.map(|member| member.id.clone()).collect()
