//! The state table: what comes of an event depends on the state that the group is in.

use crate::{Act, Error, Event, State};

/// What comes of an event in a state. (Kafka: `ClassicGroupState`, and
/// `GroupMetadataManager.classicGroupJoin`, `…Sync`, `…Heartbeat` and `…Leave`.)
pub fn act(state: State, event: Event) -> Act {
    // STARTER: let _ = Act::Refuse(Error::CoordinatorNotAvailable);
    // STARTER: todo!("step 3: what comes of {event:?} in {state:?}")
    // ANCHOR: step_3
    use Event::*;
    use State::*;
    match (state, event) {
        (Dead, _) => Act::Refuse(Error::CoordinatorNotAvailable),
        (PreparingRebalance, Joins | JoinsAgain { .. } | Leaves) => Act::Wait,
        (PreparingRebalance, Syncs { .. } | Heartbeat) => Act::Refuse(Error::RebalanceInProgress),
        (CompletingRebalance, JoinsAgain { changed: false, .. }) => Act::Answer,
        (Stable, JoinsAgain { leader: false, changed: false }) => Act::Answer,
        (_, Joins | JoinsAgain { .. } | Leaves) => Act::Rebalance,
        (CompletingRebalance, Syncs { leader: true }) => Act::Save,
        (CompletingRebalance, Syncs { leader: false }) => Act::Wait,
        (_, Syncs { .. } | Heartbeat) => Act::Answer,
    }
    // ANCHOR_END: step_3
}
