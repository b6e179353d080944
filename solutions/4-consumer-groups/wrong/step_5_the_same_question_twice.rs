//! step_5_b caught by step_5: asks who has not joined when the question is who has not synced (R4.24)
let _ = open;
let late = self.members.values().filter(|member| {
    member.joining.is_none() && member.instance_id.is_none()
});
late.map(|member| member.id.clone()).collect()
