//! A consumer dies, at each point of its work: which records are never processed, and which twice?
//!
//! Nine records, three to a poll. The consumer either processes a poll's records and then commits, or commits and then
//! processes. It dies after one of its acts; another one of its group takes over, goes on where the committed offset
//! says, and does the rest in the same order. All of it goes through your code: the plan, the rounds, the death, the
//! commits.

use std::fmt;

use consumer_groups::{Config, Group, Join, Next, next_offset, range};

const RECORDS: u64 = 9;
const POLL: u64 = 3;
const SESSION_MS: u64 = 45_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    ProcessFirst,
    CommitFirst,
}

/// One thing that a consumer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Process(u64),
    /// After a poll whose last record is this one.
    Commit(u64),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub order: Order,
    /// What it did last.
    pub last: String,
    /// Where the other one went on.
    pub from: u64,
    pub lost: usize,
    pub doubled: usize,
}

pub const HEAD: &str = "order                 dies after   goes on at  lost  doubled";

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let order = match self.order {
            Order::ProcessFirst => "process, then commit",
            Order::CommitFirst => "commit, then process",
        };
        let Row { last, from, lost, doubled, .. } = self;
        write!(f, "{order:<20}  {last:<11}  {from:>10}  {lost:>4}  {doubled:>7}")
    }
}

/// A death after each act of the first two polls, in both orders.
pub fn crashes() -> Vec<Row> {
    let orders = [Order::ProcessFirst, Order::CommitFirst];
    orders.into_iter().flat_map(|order| (1..=8).map(move |acts| crash(order, acts))).collect()
}

fn crash(order: Order, acts: usize) -> Row {
    let mut world = World::new();
    let did = world.work("ann", order, acts);
    world.dies("ann");
    let from = world.committed;
    world.work("bob", order, usize::MAX);
    let last = match did.expect("it did something") {
        Act::Process(record) => format!("record {record}"),
        Act::Commit(last) => format!("commit of {}", next_offset(last)),
    };
    let lost = world.processed.iter().filter(|times| **times == 0).count();
    let doubled = world.processed.iter().filter(|times| **times > 1).count();
    Row { order, last, from, lost, doubled }
}

/// A consumer falls asleep after it has processed five records, and is taken for dead. When all is done by another one
/// it wakes up, processes one more, and commits. Returns what that commit is told, and the committed offset then.
pub fn sleeper() -> (String, u64) {
    let mut world = World::new();
    world.work("ann", Order::ProcessFirst, 6);
    world.dies("ann");
    world.work("bob", Order::ProcessFirst, usize::MAX);
    let told = world.commit("ann", 1, 5);
    (
        told.map_or_else(|error| error.to_string(), |()| "it is committed".to_owned()),
        world.committed,
    )
}

struct World {
    group: Group,
    now_ms: u64,
    tickets: u64,
    generation: i32,
    committed: u64,
    /// How often each record was processed.
    processed: Vec<u32>,
}

impl World {
    /// Two consumers, one partition: ann reads it, and bob is idle.
    fn new() -> Self {
        let config = Config { initial_rebalance_delay_ms: 0, ..Config::default() };
        let processed = vec![0; RECORDS as usize];
        let group = Group::new(0, config);
        let mut world =
            World { group, now_ms: 0, tickets: 0, generation: 0, committed: 0, processed };
        world.join("ann");
        world.join("bob");
        world.round(&["ann", "bob"]);
        world
    }

    fn join(&mut self, name: &str) {
        self.tickets += 1;
        let known = self.group.members().any(|member| member.id == name);
        let join = Join {
            member: if known { name.to_owned() } else { String::new() },
            new_id: name.to_owned(),
            protocol_type: "consumer".to_owned(),
            protocols: vec![("range".to_owned(), b"a".to_vec())],
            session_timeout_ms: SESSION_MS,
            rebalance_timeout_ms: SESSION_MS,
            ..Join::default()
        };
        self.group.join(self.now_ms, self.tickets, join);
    }

    /// Those who are there join again and sync.
    fn round(&mut self, names: &[&str]) {
        names.iter().for_each(|name| self.join(name));
        self.generation = self.group.generation();
        let wants = names.iter().map(|name| ((*name).to_owned(), vec!["a".to_owned()])).collect();
        let plan = range(&wants, &[("a".to_owned(), 1)].into());
        let reader = plan.iter().find(|(_, theirs)| !theirs.is_empty());
        let reader = reader.expect("R4.2: somebody reads a0").0.clone();
        for name in names.iter().rev() {
            self.tickets += 1;
            let plan = vec![(reader.clone(), b"a0".to_vec())];
            let (now_ms, generation) = (self.now_ms, self.generation);
            let next = self.group.sync(now_ms, self.tickets, *name, generation, plan);
            if next.contains(&Next::Save { generation }) {
                self.group.saved(now_ms, generation);
            }
        }
    }

    /// It is not heard any more; the other one lives, and hears of the new round.
    fn dies(&mut self, name: &str) {
        let other = if name == "ann" { "bob" } else { "ann" };
        let end_ms = self.now_ms + SESSION_MS;
        while self.now_ms < end_ms {
            self.now_ms += 3_000;
            let _ = self.group.heartbeat(self.now_ms, other, self.generation);
            self.group.tick(self.now_ms);
        }
        self.round(&[other]);
    }

    /// Polls, processes and commits until the end, or until it has done so many acts. Returns the last one.
    fn work(&mut self, name: &str, order: Order, acts: usize) -> Option<Act> {
        let reads =
            self.group.members().any(|member| member.id == name && !member.assignment.is_empty());
        assert!(reads, "R4.15: {name} has the partition");
        let mut position = self.committed;
        let mut did = None;
        let mut left = acts;
        while position < RECORDS {
            let last = (position + POLL).min(RECORDS) - 1;
            let mut todo: Vec<Act> = (position..=last).map(Act::Process).collect();
            match order {
                Order::ProcessFirst => todo.push(Act::Commit(last)),
                Order::CommitFirst => todo.insert(0, Act::Commit(last)),
            }
            for act in todo {
                if left == 0 {
                    return did;
                }
                left -= 1;
                match act {
                    Act::Process(record) => self.processed[record as usize] += 1,
                    Act::Commit(last) => {
                        let may = self.commit(name, self.generation, last);
                        may.unwrap_or_else(|error| {
                            panic!("R4.28: {name} reads, and may not commit: {error}")
                        });
                    }
                }
                did = Some(act);
            }
            position = last + 1;
        }
        did
    }

    fn commit(
        &mut self,
        name: &str,
        generation: i32,
        last: u64,
    ) -> Result<(), consumer_groups::Error> {
        self.group.may_commit(name, generation)?;
        self.committed = next_offset(last);
        self.group.heard(self.now_ms, name);
        Ok(())
    }
}
