//! step_3 caught by step_3: begins a round though the answer was only missed (R4.7)
use Event::*;
use State::*;
match (state, event) {
    (Dead, _) => Act::Refuse(Error::CoordinatorNotAvailable),
    (PreparingRebalance, Joins | JoinsAgain { .. } | Leaves) => Act::Wait,
    (PreparingRebalance, Syncs { .. } | Heartbeat) => Act::Refuse(Error::RebalanceInProgress),
    (Stable, JoinsAgain { leader: false, changed: false }) => Act::Answer,
    (_, Joins | JoinsAgain { .. } | Leaves) => Act::Rebalance,
    (CompletingRebalance, Syncs { leader: true }) => Act::Save,
    (CompletingRebalance, Syncs { leader: false }) => Act::Wait,
    (_, Syncs { .. } | Heartbeat) => Act::Answer,
}
