//! step_5_b caught by step_5: asks who has not synced when the question is who has not joined (R4.23)
let _ = open;
let late = self.members.values().filter(|member| member.must_sync);
late.map(|member| member.id.clone()).collect()
