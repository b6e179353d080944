//! step_3 caught by step_3: tells the leader of a stable group again, so that new partitions have no reader (R4.7)
use Event::*;
use State::*;
match (state, event) {
    (Stable, JoinsAgain { leader: true, changed: false }) => Act::Answer,
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
