//! What a leader knows of one follower. It learns all of it from the follower's fetches.

/// One follower, as its leader sees it.
///
/// A follower fetches from the offset that it wants next. So the fetch says what it has: everything
/// below. No other message is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follower {
    pub id: i32,
    /// The follower's log end offset: where it last fetched from. `None` until its first fetch in
    /// this leader's epoch.
    pub log_end: Option<u64>,
    /// When the follower last had all that the leader had. `None` if it never had.
    pub caught_up_ms: Option<u64>,
    /// It is not in the agreed in-sync set, but may join, and the coordinator has not answered yet.
    pub joining: bool,
    /// It is not in the agreed in-sync set and may not join yet, but it keeps up.
    pub keeps_up: bool,
    /// `tick` has found that it is behind for too long.
    pub(crate) overdue: bool,
    /// Its last fetch: when it came, and where the leader's log ended then.
    pub(crate) last_fetch: Option<(u64, u64)>,
}

impl Follower {
    pub(crate) fn new(id: i32, caught_up_ms: Option<u64>) -> Self {
        Follower {
            id,
            log_end: None,
            caught_up_ms,
            joining: false,
            keeps_up: false,
            overdue: false,
            last_fetch: None,
        }
    }

    /// A fetch from offset `from`, while the leader's log ends at `leader_end`.
    ///
    /// A follower that fetches from the log end has caught up now. Under load that may never
    /// happen: whenever its fetch arrives, the log has grown. So there is a second way. If it has
    /// now reached what was the log end at its last fetch, it had caught up with *that* fetch's
    /// time. (Kafka: `Replica.updateFetchStateOrThrow`.)
    pub(crate) fn fetched(&mut self, now_ms: u64, from: u64, leader_end: u64) {
        let caught_up_ms = match self.last_fetch {
            _ if from >= leader_end => Some(now_ms),
            Some((at_ms, end_then)) if from >= end_then => Some(at_ms),
            _ => None,
        };
        self.caught_up_ms = self.caught_up_ms.max(caught_up_ms);
        self.last_fetch = Some((now_ms, leader_end));
        self.log_end = Some(from);
        self.overdue = false;
    }
}
