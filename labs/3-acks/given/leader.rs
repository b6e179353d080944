//! What the leader of one partition knows: who follows, how far each has come, who is in sync.

use crate::{Config, Follower, Refused};

/// The leader of one partition, from its election on. The records themselves are elsewhere.
///
/// Invariants: `high_watermark <= log_end`, and neither goes back. `epoch_start` stays.
#[derive(Clone, Debug)]
pub struct Leader {
    /// This broker's id.
    pub(crate) me: i32,
    /// The leader epoch: each election gives the next number.
    pub(crate) epoch: i32,
    /// Where the leader's log ended when it was elected.
    pub(crate) epoch_start: u64,
    /// All replicas of the partition, this one included, the preferred leader first.
    pub(crate) replicas: Vec<i32>,
    /// The in-sync set that the coordinator has agreed to, in the order of `replicas`.
    pub(crate) in_sync: Vec<i32>,
    /// The leader's own log end offset: the one that the next record gets.
    pub(crate) log_end: u64,
    /// The high watermark: all below is on every replica in sync.
    pub(crate) high_watermark: u64,
    /// The other replicas, in the order of `replicas`.
    pub(crate) followers: Vec<Follower>,
    pub(crate) config: Config,
    /// The latest time that anybody has said.
    pub(crate) now_ms: u64,
}

impl Leader {
    /// This broker, `me`, has become the leader with this epoch. Its log ends at `log_end`, and as
    /// a follower it heard of `high_watermark`.
    ///
    /// It does not know yet how far its followers are. Those in sync count as caught up now, so
    /// that an election does not throw them out.
    #[allow(clippy::too_many_arguments, reason = "this is what an election is")]
    pub fn elected(
        me: i32,
        epoch: i32,
        replicas: &[i32],
        in_sync: &[i32],
        log_end: u64,
        high_watermark: u64,
        now_ms: u64,
        config: Config,
    ) -> Self {
        let others = replicas.iter().copied().filter(|id| *id != me);
        let followers =
            others.map(|id| Follower::new(id, in_sync.contains(&id).then_some(now_ms))).collect();
        let mut leader = Leader {
            me,
            epoch,
            epoch_start: log_end,
            replicas: replicas.to_vec(),
            in_sync: Vec::new(),
            log_end,
            high_watermark: high_watermark.min(log_end),
            followers,
            config,
            now_ms,
        };
        leader.in_sync = leader.in_order(in_sync);
        // With followers in sync the watermark waits for their first fetches.
        if leader.in_sync == [me] {
            leader.settle();
        }
        leader
    }

    /// Takes new settings while it leads.
    pub fn configure(&mut self, config: Config) {
        self.config = config;
        self.settle();
    }

    /// The leader has appended, and its log ends here now.
    pub fn appended(&mut self, log_end: u64) {
        assert!(log_end >= self.log_end, "the log end goes from {} to {log_end}", self.log_end);
        self.log_end = log_end;
        self.settle();
    }

    /// A follower fetches from offset `from`, and says which leader epoch it knows. This is how the
    /// leader hears that the follower has everything below `from`.
    pub fn fetched(
        &mut self,
        now_ms: u64,
        follower: i32,
        epoch: i32,
        from: u64,
    ) -> Result<(), Refused> {
        if epoch != self.epoch {
            self.check_epoch(epoch)?; // step 5
        }
        let Some(at) = self.followers.iter().position(|known| known.id == follower) else {
            let (leader, replicas) = (self.me, self.replicas.clone());
            return Err(Refused::NotAReplica { follower, leader, replicas });
        };
        if from > self.log_end {
            return Err(Refused::OffsetOutOfRange { from, log_end: self.log_end });
        }
        self.now_ms = self.now_ms.max(now_ms);
        self.followers[at].fetched(self.now_ms, from, self.log_end);
        if !self.in_sync.contains(&follower) {
            let known = &self.followers[at];
            let joining = known.joining || self.may_join(known); // step 3
            let keeps_up = !joining && !self.lags(known);
            (self.followers[at].joining, self.followers[at].keeps_up) = (joining, keeps_up);
        }
        self.settle();
        Ok(())
    }

    /// The in-sync set as it should be, for the coordinator to agree to. `None` while it is as it
    /// should be. Ask after `fetched` and after `tick`, and have one question under way at a time.
    pub fn wanted_in_sync(&self) -> Option<Vec<i32>> {
        if self.followers.is_empty() {
            return None; // nobody to leave or to join
        }
        let wanted = self.wanted(); // step 3
        (wanted != self.in_sync).then_some(wanted)
    }

    /// The coordinator has said who is in sync. If it has refused a change, it says the old set
    /// again.
    ///
    /// So a follower that was about to join and is not in the set stops counting. It may try again
    /// with its next fetch. (Kafka: `AlterPartition`, KIP-497.)
    pub fn in_sync_agreed(&mut self, in_sync: &[i32]) {
        for follower in &mut self.followers {
            let was = self.in_sync.contains(&follower.id);
            match (was, follower.joining, in_sync.contains(&follower.id)) {
                // Whoever is new in the set has as long to catch up as after an election.
                (false, _, true) => follower.caught_up_ms = Some(self.now_ms),
                // Why it had to leave is not known here. It may be dead, so nobody waits for it.
                (true, _, false) | (_, true, false) => follower.caught_up_ms = None,
                _ => {}
            }
            (follower.joining, follower.keeps_up, follower.overdue) = (false, false, false);
        }
        self.in_sync = self.in_order(in_sync);
        self.settle();
    }

    /// The coordinator says that this broker is dead. Nobody waits for it; whether it is in sync is
    /// still the agreed set's matter.
    pub fn gone(&mut self, broker: i32) {
        if let Some(follower) = self.followers.iter_mut().find(|known| known.id == broker) {
            follower.keeps_up = false;
            if !self.in_sync.contains(&broker) {
                follower.caught_up_ms = None;
            }
        }
        self.settle();
    }

    /// When `tick` has something to do: when a follower will have been behind for too long. That
    /// may be over already: one that had everything and died long ago is behind as soon as
    /// something is appended.
    pub fn deadline(&self) -> Option<u64> {
        // What is overdue was seen, and is in `wanted_in_sync` until it is agreed.
        let counted = self.counted().filter(|follower| !follower.overdue);
        let late_ms = counted.filter_map(|follower| self.late_ms(follower));
        late_ms.min().map(|ms| ms.saturating_add(1))
    }

    /// Time has passed. Ask `wanted_in_sync` then.
    pub fn tick(&mut self, now_ms: u64) {
        self.now_ms = self.now_ms.max(now_ms);
        for at in 0..self.followers.len() {
            let follower = &self.followers[at];
            let overdue = self.late_ms(follower).is_some_and(|late_ms| late_ms < self.now_ms);
            let keeps_up = follower.keeps_up && !self.lags(follower); // step 3
            (self.followers[at].overdue, self.followers[at].keeps_up) = (overdue, keeps_up);
        }
        self.settle();
    }

    /// Until when a follower may be behind, if it is.
    fn late_ms(&self, follower: &Follower) -> Option<u64> {
        let behind = follower.log_end != Some(self.log_end) && !follower.joining;
        let caught_up_ms = follower.caught_up_ms.filter(|_| behind)?;
        Some(caught_up_ms.saturating_add(self.config.lag_time_max_ms))
    }

    /// The followers that the high watermark waits for:
    ///
    /// - those in the agreed in-sync set, also if they should leave it;
    /// - those that may join, from the moment on that the coordinator is asked (KIP-497);
    /// - those that keep up, and find the watermark moved whenever they come. If nobody waited for
    ///   them, a leader that is alone and has much to do would stay alone.
    pub(crate) fn counted(&self) -> impl Iterator<Item = &Follower> {
        let agreed = |follower: &Follower| self.in_sync.contains(&follower.id);
        self.followers
            .iter()
            .filter(move |follower| agreed(follower) || follower.joining || follower.keeps_up)
    }

    /// How many replicas are in sync, those that are joining included.
    pub(crate) fn in_sync_or_joining(&self) -> usize {
        self.in_sync.len() + self.followers.iter().filter(|follower| follower.joining).count()
    }

    /// Whether so many replicas in sync are enough for `acks=all`. One always is, if one is asked
    /// for: the leader itself.
    pub(crate) fn is_enough(&self, in_sync: usize) -> bool {
        self.config.min_in_sync <= 1 || in_sync >= self.effective_min() // step 4
    }

    /// The high watermark moves as far as it may. It stands still while too few are in sync.
    fn settle(&mut self) {
        let watermark = match self.followers[..] {
            [] => self.log_end, // nobody to wait for
            _ if !self.is_enough(self.in_sync.len()) => return,
            _ => self.watermark(), // step 2
        };
        let (old, end) = (self.high_watermark, self.log_end);
        assert!(watermark >= old, "R3.5: the high watermark goes back from {old} to {watermark}");
        assert!(watermark <= end, "R3.4: the high watermark {watermark} is past the log end {end}");
        self.high_watermark = watermark;
    }

    /// Those of `ids` that are replicas, in the order of `replicas`.
    fn in_order(&self, ids: &[i32]) -> Vec<i32> {
        self.replicas.iter().copied().filter(|id| ids.contains(id)).collect()
    }

    pub fn me(&self) -> i32 {
        self.me
    }

    pub fn epoch(&self) -> i32 {
        self.epoch
    }

    /// Where the leader's log ended when it was elected. Until the high watermark has come here,
    /// the leader does not know for certain what is committed (KIP-207).
    pub fn epoch_start(&self) -> u64 {
        self.epoch_start
    }

    /// All replicas, the preferred leader first.
    pub fn replicas(&self) -> &[i32] {
        &self.replicas
    }

    /// The in-sync set that the coordinator has agreed to, in the order of `replicas`.
    pub fn in_sync(&self) -> &[i32] {
        &self.in_sync
    }

    pub fn log_end(&self) -> u64 {
        self.log_end
    }

    pub fn high_watermark(&self) -> u64 {
        self.high_watermark
    }

    pub fn followers(&self) -> &[Follower] {
        &self.followers
    }

    pub fn config(&self) -> &Config {
        &self.config
    }
}
