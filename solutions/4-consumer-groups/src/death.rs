//! A death is noticed by silence.

use crate::{Group, Member, State};

impl Group {
    /// Whether a member is dead: it was not heard for its session timeout, and it is not waiting for
    /// an answer of ours. (Kafka: `expireClassicGroupMemberHeartbeat`.)
    pub(crate) fn is_dead(&self, member: &Member) -> bool {
        // STARTER: todo!("step 5: is it dead at {}? {member:?}", self.now_ms)
        // ANCHOR: step_5_a
        let silent_ms = self.now_ms - member.heard_ms;
        !member.is_waiting() && silent_ms >= member.session_timeout_ms
        // ANCHOR_END: step_5_a
    }

    /// Time is up: who is removed? While a round is open, whoever has not joined, but for static
    /// members, which may be away. After it, whoever has not asked for its part of the plan.
    pub(crate) fn too_late(&self) -> Vec<String> {
        let open = self.state == State::PreparingRebalance;
        // STARTER: todo!("step 5: who of {:?} is too late? Is a round open: {open}", self.members)
        // ANCHOR: step_5_b
        let late = self.members.values().filter(|member| match open {
            true => member.joining.is_none() && member.instance_id.is_none(),
            false => member.must_sync,
        });
        late.map(|member| member.id.clone()).collect()
        // ANCHOR_END: step_5_b
    }
}
