//! The loss matrix: a leader dies under each setting, and what is lost and doubled is counted.
//!
//! Three replicas as logs in memory, one producer, one coordinator. Who leads, what is answered, who is in sync: the
//! lab's own code says it, so the numbers follow from what the learner wrote. One seed, one result.
//!
//! The story of each run, in milliseconds (one record comes every millisecond):
//!
//! ```text
//! 0            broker 1 leads, 2 and 3 follow, each with a fetch every 10 to 19 ms; all are in sync
//! 40           only where the followers are to be behind: both stop fetching
//! by 80        … and are behind for longer than `replica.lag.time.max.ms`, here 40
//! about 120    broker 1's machine dies; what is on its way to it or from it is gone
//! 2 later      the producer notices; from now on it keeps its records until there is a leader
//! 10 later     the coordinator notices, and elects; the followers fetch again
//! 60 later     broker 1 is back with its log
//! 240          the last record
//! ```
//!
//! The producer is not idempotent. What was not answered, or was refused, it sends again. With acks=0 nothing is
//! answered, so a record counts as acknowledged as soon as it is sent.

use std::collections::BTreeMap;
use std::fmt;

use acks::{Acks, Answer, Config, Epochs, Leader, elect};
use fastrand::Rng;

pub const RECORDS: usize = 240;
const END_MS: u64 = 600;
const LAG_TIME_MAX_MS: u64 = 40;
const STOP_MS: u64 = 40;
/// How long a request or its answer is under way.
const WAY_MS: u64 = 2;
const REPLICAS: [i32; 3] = [1, 2, 3];

/// One setting, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub acks: Acks,
    pub min_in_sync: u32,
    pub unclean: bool,
    pub behind: bool,
    /// Records that the producer holds for safe.
    pub acknowledged: usize,
    /// Records in the log in the end, doubles included.
    pub stored: usize,
    /// Acknowledged, and not in the log.
    pub lost: usize,
    /// In the log once more than they should be.
    pub doubled: usize,
    /// The longest time in which no record was appended.
    pub pause_ms: u64,
    /// Who led, one after the other.
    pub led: Vec<i32>,
    /// All replicas hold the same in the end.
    pub agree: bool,
}

/// The columns of a row.
pub const HEAD: &str = "acks  min  election  followers   lost  doubled  pause  leaders";

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let acks = match self.acks {
            Acks::None => "0",
            Acks::Leader => "1",
            Acks::All => "all",
        };
        let election = if self.unclean { "unclean" } else { "clean" };
        let followers = if self.behind { "behind" } else { "caught up" };
        let (min, lost, doubled, pause_ms) =
            (self.min_in_sync, self.lost, self.doubled, self.pause_ms);
        let led: Vec<String> = self.led.iter().map(i32::to_string).collect();
        let led = led.join(", ");
        write!(
            f,
            "{acks:4}  {min:3}  {election:8}  {followers:9}  {lost:5}  {doubled:7}  {pause_ms:5}  {led}"
        )
    }
}

/// All 24 settings.
pub fn matrix(seed: u64) -> Vec<Row> {
    let mut rows = Vec::new();
    for acks in [Acks::None, Acks::Leader, Acks::All] {
        for min_in_sync in [1, 2] {
            for unclean in [false, true] {
                for behind in [false, true] {
                    rows.push(row(seed, acks, min_in_sync, unclean, behind));
                }
            }
        }
    }
    rows
}

/// One setting.
pub fn row(seed: u64, acks: Acks, min_in_sync: u32, unclean: bool, behind: bool) -> Row {
    let mut run = Run::new(seed, acks, min_in_sync, unclean, behind);
    while let Some(((now_ms, _), event)) = run.events.pop_first()
        && now_ms <= END_MS
    {
        run.now_ms = now_ms;
        run.handle(event);
        run.look();
    }
    run.row()
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Send { record: usize },
    Request { record: usize, to: i32, epoch: i32 },
    Answered { record: usize, from: i32, epoch: i32, ok: bool },
    Fetch { follower: i32 },
    Tick,
    Dies,
    ProducerNotices,
    CoordinatorNotices,
    Returns,
}

#[derive(Clone, Debug, Default)]
struct Replica {
    /// The numbers of its records.
    log: Vec<usize>,
    epochs: Epochs,
    watermark: u64,
}

struct Run {
    acks: Acks,
    config: Config,
    unclean: bool,
    behind: bool,
    dies_ms: u64,
    now_ms: u64,
    events: BTreeMap<(u64, u64), Event>,
    scheduled: u64,
    replicas: BTreeMap<i32, Replica>,
    leader: Option<Leader>,
    // What the coordinator knows.
    alive: Vec<i32>,
    in_sync: Vec<i32>,
    epoch: i32,
    // What the producer knows.
    connected: Option<(i32, i32)>,
    acknowledged: Vec<bool>,
    /// Sent, and neither answered nor to be sent again yet.
    under_way: Vec<bool>,
    /// Requests that wait in the leader: the record and its offset.
    waiting: Vec<(usize, u64)>,
    // What is measured.
    appended_ms: u64,
    pause_ms: u64,
    led: Vec<i32>,
}

impl Run {
    fn new(seed: u64, acks: Acks, min_in_sync: u32, unclean: bool, behind: bool) -> Self {
        // Everything that chance says is drawn here, in the same order for every setting.
        let mut rng = Rng::with_seed(seed);
        let dies_ms = 117 + rng.u64(0..6);
        let mut run = Run {
            acks,
            config: Config { min_in_sync, lag_time_max_ms: LAG_TIME_MAX_MS },
            unclean,
            behind,
            dies_ms,
            now_ms: 0,
            events: BTreeMap::new(),
            scheduled: 0,
            replicas: REPLICAS.iter().map(|id| (*id, Replica::default())).collect(),
            leader: None,
            alive: REPLICAS.to_vec(),
            in_sync: REPLICAS.to_vec(),
            epoch: -1,
            connected: None,
            acknowledged: vec![false; RECORDS],
            under_way: vec![false; RECORDS],
            waiting: Vec::new(),
            appended_ms: 0,
            pause_ms: 0,
            led: Vec::new(),
        };
        for follower in REPLICAS {
            let mut at_ms = rng.u64(0..10);
            while at_ms < END_MS {
                run.at(at_ms, Event::Fetch { follower });
                at_ms += rng.u64(10..20);
            }
        }
        run.at(dies_ms, Event::Dies);
        run.at(dies_ms + 2, Event::ProducerNotices);
        run.at(dies_ms + 10, Event::CoordinatorNotices);
        run.at(dies_ms + 60, Event::Returns);
        (0..RECORDS).for_each(|record| run.at(record as u64, Event::Send { record }));
        run.elect();
        run
    }

    fn at(&mut self, ms: u64, event: Event) {
        self.scheduled += 1;
        self.events.insert((ms, self.scheduled), event);
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Send { record } => self.send(record),
            Event::Request { record, to, epoch } => self.append(record, to, epoch),
            Event::Answered { record, from, epoch, ok } => {
                if self.connected != Some((from, epoch)) {
                    return; // the connection is gone, and the answer with it
                }
                self.under_way[record] = false;
                self.acknowledged[record] |= ok;
                if !ok {
                    self.at(self.now_ms + 10, Event::Send { record });
                }
            }
            Event::Fetch { follower } => self.fetch(follower),
            Event::Tick => {
                if let Some(leader) = &mut self.leader {
                    leader.tick(self.now_ms);
                }
            }
            Event::Dies => {
                self.leader = None;
                self.waiting.clear();
                let lost = |event: &Event| {
                    matches!(event, Event::Request { to: 1, .. } | Event::Answered { from: 1, .. })
                };
                self.events.retain(|_, event| !lost(event));
            }
            Event::ProducerNotices => {
                self.connected = None;
                self.under_way.fill(false);
            }
            Event::CoordinatorNotices => {
                self.alive.retain(|id| *id != 1);
                self.elect();
            }
            Event::Returns => {
                self.alive.insert(0, 1);
                if self.leader.is_none() {
                    self.elect();
                }
            }
        }
    }

    /// After each event: whoever waits may be answered, and the in-sync set may have to change.
    fn look(&mut self) {
        let Some(leader) = &mut self.leader else { return };
        if let Some(wanted) = leader.wanted_in_sync() {
            leader.in_sync_agreed(&wanted);
            self.in_sync = wanted;
        }
        let (me, epoch) = (leader.me(), leader.epoch());
        let mut answers = Vec::new();
        self.waiting.retain(|(record, offset)| match leader.answer(self.acks, *offset) {
            Answer::Wait => true,
            answer => {
                answers.push((*record, answer == Answer::Now));
                false
            }
        });
        let deadline = leader.deadline();
        for (record, ok) in answers {
            self.at(self.now_ms + WAY_MS, Event::Answered { record, from: me, epoch, ok });
        }
        if let Some(ms) = deadline.filter(|ms| *ms > self.now_ms)
            && !self.events.range((ms, 0)..(ms + 1, 0)).any(|(_, e)| matches!(e, Event::Tick))
        {
            self.at(ms, Event::Tick);
        }
    }

    fn send(&mut self, record: usize) {
        let Some((to, epoch)) = self.connected else { return };
        if self.acknowledged[record] || self.under_way[record] {
            return;
        }
        self.under_way[record] = true;
        self.acknowledged[record] = self.acks == Acks::None;
        self.at(self.now_ms + WAY_MS, Event::Request { record, to, epoch });
    }

    fn append(&mut self, record: usize, to: i32, epoch: i32) {
        let leading = |leader: &&mut Leader| (leader.me(), leader.epoch()) == (to, epoch);
        let Some(leader) = self.leader.as_mut().filter(leading) else { return };
        if leader.may_append(self.acks).is_err() {
            let refused = Event::Answered { record, from: to, epoch, ok: false };
            return self.at(self.now_ms + WAY_MS, refused);
        }
        let replica = self.replicas.get_mut(&to).expect("a replica");
        replica.log.push(record);
        let end = replica.log.len() as u64;
        leader.appended(end);
        self.pause_ms = self.pause_ms.max(self.now_ms - self.appended_ms);
        self.appended_ms = self.now_ms;
        if self.acks != Acks::None {
            self.waiting.push((record, end - 1));
        }
    }

    fn fetch(&mut self, follower: i32) {
        let stopped = self.behind && (STOP_MS..self.dies_ms + 10).contains(&self.now_ms);
        let Some(leader) = &mut self.leader else { return };
        if stopped || follower == leader.me() || !self.alive.contains(&follower) {
            return;
        }
        let mut replica = self.replicas.remove(&follower).expect("a replica");
        let source = &self.replicas[&leader.me()];
        catch_up(leader, source, follower, &mut replica, self.now_ms);
        self.replicas.insert(follower, replica);
    }

    fn elect(&mut self) {
        let Some(id) = elect(&REPLICAS, &self.in_sync, &self.alive, self.unclean) else { return };
        if !self.alive.contains(&id) {
            return; // the dead do not hear that they were elected
        }
        let clean = self.in_sync.contains(&id);
        self.in_sync.retain(|other| self.alive.contains(other) && clean);
        if !clean {
            self.in_sync = vec![id];
        }
        self.epoch += 1;
        let replica = self.replicas.get_mut(&id).expect("a replica");
        let end = replica.log.len() as u64;
        replica.epochs.started(self.epoch, end);
        self.leader = Some(Leader::elected(
            id,
            self.epoch,
            &REPLICAS,
            &self.in_sync,
            end,
            replica.watermark,
            self.now_ms,
            self.config.clone(),
        ));
        self.led.push(id);
        // The producer hears of it, and sends what it still has.
        self.connected = Some((id, self.epoch));
        let unsent = (0..RECORDS).filter(|record| (*record as u64) < self.now_ms);
        unsent.collect::<Vec<_>>().into_iter().for_each(|record| self.send(record));
    }

    fn row(&self) -> Row {
        let last = self.led.last().copied().unwrap_or(1);
        let log = &self.replicas[&last].log;
        let copies = |record: usize| log.iter().filter(|stored| **stored == record).count();
        let count = |wanted: &dyn Fn(usize) -> usize| (0..RECORDS).map(wanted).sum();
        Row {
            acks: self.acks,
            min_in_sync: self.config.min_in_sync,
            unclean: self.unclean,
            behind: self.behind,
            acknowledged: self.acknowledged.iter().filter(|done| **done).count(),
            stored: log.len(),
            lost: count(&|record| usize::from(self.acknowledged[record] && copies(record) == 0)),
            doubled: count(&|record| copies(record).saturating_sub(1)),
            pause_ms: self.pause_ms,
            led: self.led.clone(),
            agree: self.replicas.values().all(|replica| replica.log == *log),
        }
    }
}

/// One fetch: the follower cuts what is not the leader's, or copies what it lacks.
fn catch_up(leader: &mut Leader, source: &Replica, id: i32, replica: &mut Replica, now_ms: u64) {
    let (from, end) = (replica.log.len() as u64, source.log.len() as u64);
    if let Some(last) = replica.epochs.latest()
        && let Some(diverging) = source.epochs.diverging(last, from, end)
    {
        let keep = replica.epochs.truncate_to(diverging, from);
        replica.log.truncate(keep as usize);
        replica.epochs.truncated(keep);
        replica.watermark = replica.watermark.min(keep);
        return;
    }
    if leader.fetched(now_ms, id, leader.epoch(), from).is_err() {
        return;
    }
    for offset in from..end {
        if let Some(epoch) = source.epochs.at(offset) {
            replica.epochs.started(epoch, offset);
        }
        replica.log.push(source.log[offset as usize]);
    }
    replica.watermark = leader.high_watermark().min(end);
}
