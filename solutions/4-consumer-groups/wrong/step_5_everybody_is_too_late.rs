//! step_5_b caught by step_5: removes all when a round is over (R4.23)
let late = self.members.values().filter(|member| match open {
    true => true,
    false => member.must_sync,
});
late.map(|member| member.id.clone()).collect()
