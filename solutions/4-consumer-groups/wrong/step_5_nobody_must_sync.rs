//! step_5_b caught by step_5: removes nobody who does not ask for its part (R4.24)
let late = self.members.values().filter(|member| match open {
    true => member.joining.is_none() && member.instance_id.is_none(),
    false => false,
});
late.map(|member| member.id.clone()).collect()
