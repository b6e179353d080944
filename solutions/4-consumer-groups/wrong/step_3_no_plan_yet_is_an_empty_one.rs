//! step_3 caught by step_3: answers a sync before the plan is there (R4.8)
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
    (_, Syncs { .. } | Heartbeat) => Act::Answer,
}
