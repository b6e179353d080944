//! step_5_b caught by step_5: removes all when the time to sync is over (R4.24)
let late = self.members.values().filter(|member| match open {
    true => member.joining.is_none() && member.instance_id.is_none(),
    false => true,
});
late.map(|member| member.id.clone()).collect()
