//! step_5_b caught by step_5: never removes the leader, so that all wait for its plan (R4.24)
let late = self.members.values().filter(|member| match open {
    true => member.joining.is_none() && member.instance_id.is_none(),
    false => member.must_sync && self.leader.as_ref() != Some(&member.id),
});
late.map(|member| member.id.clone()).collect()
