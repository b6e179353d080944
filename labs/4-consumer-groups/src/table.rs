//! The state table: what comes of an event depends on the state that the group is in.

use crate::{Act, Error, Event, State};

/// What comes of an event in a state. (Kafka: `ClassicGroupState`, and
/// `GroupMetadataManager.classicGroupJoin`, `…Sync`, `…Heartbeat` and `…Leave`.)
pub fn act(state: State, event: Event) -> Act {
    let _ = Act::Refuse(Error::CoordinatorNotAvailable);
    todo!("step 3: what comes of {event:?} in {state:?}")
}
