//! step_3 caught by step_3: begins no round when somebody leaves a stable group (R4.10)
use Event::*;
use State::*;
match (state, event) {
    (Stable, Leaves) => Act::Wait,
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
