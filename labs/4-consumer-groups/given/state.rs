//! The states of a group, what may happen in each, and what can come of it. Which comes of which is
//! a table, and yours: `src/table.rs`.

use crate::Error;

/// Where a group is. (Kafka: `ClassicGroupState`.)
///
/// ```text
///             join            all have joined           the plan is saved
///   Empty ─────────▶ PreparingRebalance ─────▶ CompletingRebalance ─────▶ Stable
///     ▲                │         ▲                      │                   │
///     └────────────────┘         └──────────────────────┴───────────────────┘
///       nobody is left         somebody joins, leaves or dies: all must join again
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// No members. Offsets may be committed all the same.
    Empty,
    /// A round is open: all members must join again. Those who have wait for the others.
    PreparingRebalance,
    /// The round is over and has a generation. Its leader makes the plan; the others wait for it.
    CompletingRebalance,
    /// The plan was handed out, and members read.
    Stable,
    /// The group is not here any more: it was deleted, or another broker coordinates it.
    Dead,
}

impl State {
    /// Kafka's name of it, which DescribeGroups shows.
    pub fn name(self) -> &'static str {
        match self {
            State::Empty => "Empty",
            State::PreparingRebalance => "PreparingRebalance",
            State::CompletingRebalance => "CompletingRebalance",
            State::Stable => "Stable",
            State::Dead => "Dead",
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What happens to a group. Whether the member exists, and whether it names the right generation, was
/// looked at before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// Somebody joins who is no member yet.
    Joins,
    /// A member joins again. `changed`: it wants other topics than the last time, or offers other
    /// assignors.
    JoinsAgain { leader: bool, changed: bool },
    /// A member asks for its part of the plan. The leader brings the plan with it.
    Syncs { leader: bool },
    /// A member says that it is alive.
    Heartbeat,
    /// A member has left or died, and is not one any more.
    Leaves,
}

/// What comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// A new round begins: all members must join again. Whoever joins with this event has done so.
    Rebalance,
    /// Nothing yet: the answer waits until the round is over, or until the plan is there.
    Wait,
    /// It is answered at once, with what is so in this generation.
    Answer,
    /// The plan is here: it is saved, and then handed out.
    Save,
    /// It is answered at once, with an error.
    Refuse(Error),
}
