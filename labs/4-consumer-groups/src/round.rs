//! A round: all members join, one of them makes the plan, and each is told its part.

use std::collections::BTreeMap;

use crate::{Group, Listed, Member, Next};

impl Group {
    /// Whether all have joined this round: every member, and everybody who was given an id and has
    /// not come back with it. (Kafka: `ClassicGroup.hasAllMembersJoined`.)
    pub(crate) fn all_joined(&self) -> bool {
        todo!("step 4: have all of {:?} joined? {:?}", self.members, self.pending)
    }

    /// Who leads the next generation: who leads now, if it has joined; if not, the first member that
    /// has. (Kafka: `ClassicGroup.maybeElectNewJoinedLeader`.)
    pub(crate) fn next_leader(&self) -> Option<String> {
        let members: Vec<&Member> = self.members.values().collect();
        todo!("step 4: who leads after {:?}, of {members:?}", self.leader)
    }

    /// The list of members that goes out with a join's answer: the leader needs it, to make the plan.
    /// All others get an empty one.
    pub(crate) fn list_for(&self, member: &str) -> Vec<Listed> {
        let protocol = self.protocol.as_deref().unwrap_or_default();
        let all = self.members.values().map(|member| member.listed(protocol));
        todo!("step 4: what {member:?} is told, if {:?} leads: {:?}", self.leader, all.len())
    }

    /// The plan is saved: each member gets its own part, or an empty one if the leader forgot it. Who
    /// waits for it is answered. (Kafka: `setAndPropagateAssignment`.)
    pub(crate) fn hand_out(&mut self, plan: &BTreeMap<String, Vec<u8>>) -> Vec<Next> {
        todo!("step 4: hand out {plan:?} to {:?}", self.members)
    }
}
