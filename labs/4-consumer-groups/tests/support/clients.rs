//! Clients that chance drives. They do what real ones do: join, sync, send heartbeats, and join again when they are
//! told to. And what real ones do too: leave, die, fall asleep, lose their connections, change their minds. After
//! every event the group must keep its promises; at the end, when all is quiet, it must be stable, and each partition
//! must have one reader.
//!
//! Each history has a seed, which a failure names. `SEED=17 cargo test -p consumer-groups any_history` repeats it
//! alone.

use std::collections::{BTreeMap, BTreeSet};
use std::env;

use consumer_groups::{Config, Error, Group, Join, Listed, Next, State, range};
use fastrand::Rng;

use crate::grader::{check, during};

/// What may happen. Each level adds to the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nobody is ever silent.
    Rounds,
    Deaths,
    Commits,
}

const EVENTS: usize = 120;
const SESSION_MS: u64 = 2_000;
const REBALANCE_MS: u64 = 3_000;
/// Longer than any history.
const LONG_MS: u64 = 1_000_000;

/// The seeds of this run: `SEED=17` chooses one of them alone.
pub fn seeds() -> Vec<u64> {
    match env::var("SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => vec![seed],
        None => (0..20).collect(),
    }
}

pub fn histories(level: Level) {
    for seed in seeds() {
        World::new(level, seed).run();
    }
    during(String::new);
}

/// What a client is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Doing {
    Nothing,
    /// It waits for the answer to this ticket.
    Joining(u64),
    /// It was told of this generation, and of the members if it leads.
    Joined(Vec<Listed>),
    Syncing(u64),
    Reading(Vec<(String, u32)>),
    /// It does nothing, for ever.
    Dead,
}

#[derive(Clone, Debug)]
struct Client {
    id: String,
    generation: i32,
    doing: Doing,
    topics: Vec<String>,
    /// Until when it sends no heartbeats.
    asleep_ms: u64,
    next_heartbeat_ms: u64,
}

mod promises;

struct World {
    level: Level,
    seed: u64,
    rng: Rng,
    group: Group,
    now_ms: u64,
    topics: BTreeMap<String, u32>,
    clients: BTreeMap<String, Client>,
    open: BTreeSet<u64>,
    tickets: u64,
    generation: i32,
}

impl World {
    fn new(level: Level, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let delay_ms = if rng.bool() { 0 } else { rng.u64(1..1_500) };
        let config = Config {
            min_session_timeout_ms: 1,
            initial_rebalance_delay_ms: delay_ms,
            ..Config::default()
        };
        let topics = ["a", "b"].map(|topic| (topic.to_owned(), rng.u32(1..5)));
        let clients = ["ann", "bob", "cho", "dan", "eve"].map(|name| {
            let client = Client {
                id: String::new(),
                generation: -1,
                doing: Doing::Nothing,
                topics: vec!["a".to_owned()],
                asleep_ms: 0,
                next_heartbeat_ms: 0,
            };
            (name.to_owned(), client)
        });
        World {
            level,
            seed,
            group: Group::new(0, config),
            now_ms: 0,
            topics: topics.into_iter().collect(),
            clients: clients.into_iter().take(rng.usize(2..6)).collect(),
            rng,
            open: BTreeSet::new(),
            tickets: 0,
            generation: 0,
        }
    }

    fn run(&mut self) {
        for _ in 0..EVENTS {
            let name = self.anybody();
            self.happens(&name);
            let step_ms = self.rng.u64(0..300);
            self.time(step_ms);
        }
        // Now all is quiet. The dead are noticed, and the living settle.
        for client in self.clients.values_mut() {
            client.asleep_ms = 0;
        }
        for _ in 0..60 {
            self.time(250);
        }
        self.settled();
    }

    fn anybody(&mut self) -> String {
        let names: Vec<&String> = self.clients.keys().collect();
        names[self.rng.usize(0..names.len())].clone()
    }

    fn say(&self, what: &str) {
        let (seed, level, now_ms, what) = (self.seed, self.level, self.now_ms, what.to_owned());
        during(move || format!("seed {seed} ({level:?}), at {now_ms}: {what}"));
    }

    fn happens(&mut self, name: &str) {
        let deaths = self.level >= Level::Deaths;
        let doing = self.clients[name].doing.clone();
        match (self.rng.u8(0..24), doing) {
            (_, Doing::Dead) if self.rng.u8(0..6) == 0 => {
                self.say(&format!("{name} is started again"));
                let me = self.client(name);
                (me.id, me.generation, me.doing) = (String::new(), -1, Doing::Nothing);
            }
            (0..=5, Doing::Nothing) => self.join(name),
            (0, Doing::Reading(_)) => {
                self.say(&format!("{name} wants something else"));
                let both = self.rng.bool();
                self.client(name).topics =
                    if both { vec!["a".to_owned(), "b".to_owned()] } else { vec!["b".to_owned()] };
                self.join(name);
            }
            (1, Doing::Reading(_)) => self.join(name),
            (2, Doing::Reading(_) | Doing::Joined(_)) => self.leave(name),
            (3, Doing::Joining(ticket) | Doing::Syncing(ticket)) if deaths => {
                self.say(&format!("{name} loses its connection"));
                self.open.remove(&ticket);
                self.client(name).doing = Doing::Nothing;
                let next = self.group.gone(self.now_ms, ticket);
                self.told(next);
            }
            (4, Doing::Reading(_) | Doing::Joined(_)) if deaths => {
                self.say(&format!("{name} dies"));
                self.client(name).doing = Doing::Dead;
            }
            (5, Doing::Reading(_) | Doing::Joined(_)) if deaths => {
                let until_ms = self.now_ms + self.rng.u64(0..2 * REBALANCE_MS);
                self.say(&format!("{name} sleeps until {until_ms}"));
                self.client(name).asleep_ms = until_ms;
            }
            _ => {}
        }
    }

    /// Time goes on. Timers come at their time, clients act at theirs.
    fn time(&mut self, ms: u64) {
        let end_ms = self.now_ms + ms;
        for turns in 0.. {
            assert!(turns < 10_000, "R4.26: the deadline stays, and a tick changes nothing");
            let act_ms = self.clients.values().filter_map(Client::next_act_ms).min();
            let act_ms = act_ms.map(|at_ms| at_ms.max(self.now_ms));
            let tick_ms = self.group.deadline().map(|at_ms| at_ms.max(self.now_ms));
            let Some(at_ms) = act_ms.into_iter().chain(tick_ms).min().filter(|at| *at <= end_ms)
            else {
                break;
            };
            if at_ms > self.now_ms {
                let before_ms = self.now_ms + self.rng.u64(0..at_ms - self.now_ms);
                self.idle_tick(before_ms);
                self.now_ms = at_ms;
            }
            if tick_ms == Some(at_ms) {
                self.say("a tick");
                let next = self.group.tick(at_ms);
                self.told(next);
            } else {
                let ready = self
                    .clients
                    .iter()
                    .find(|(_, me)| me.next_act_ms() <= Some(at_ms) && me.next_act_ms().is_some());
                let name = ready.expect("somebody acts").0.clone();
                self.acts(&name);
            }
            self.compare();
        }
        self.now_ms = end_ms;
    }

    /// What a client does by itself, when it is its time.
    fn acts(&mut self, name: &str) {
        match self.clients[name].doing.clone() {
            Doing::Joined(list) if self.rng.bool() => self.sync(name, &list),
            Doing::Joined(_) | Doing::Reading(_) => self.heartbeat(name),
            _ => {}
        }
    }

    fn join(&mut self, name: &str) {
        self.say(&format!("{name} joins"));
        self.tickets += 1;
        let (ticket, me) = (self.tickets, &self.clients[name]);
        let join = Join {
            member: me.id.clone(),
            new_id: format!("{name}-{ticket}"),
            protocol_type: "consumer".to_owned(),
            protocols: vec![("range".to_owned(), me.topics.join(" ").into_bytes())],
            session_timeout_ms: if self.level == Level::Rounds { LONG_MS } else { SESSION_MS },
            rebalance_timeout_ms: if self.level == Level::Rounds { LONG_MS } else { REBALANCE_MS },
            member_id_required: ticket % 3 > 0,
            ..Join::default()
        };
        self.open.insert(ticket);
        self.client(name).doing = Doing::Joining(ticket);
        let next = self.group.join(self.now_ms, ticket, join);
        self.told(next);
    }

    fn sync(&mut self, name: &str, list: &[Listed]) {
        self.say(&format!("{name} syncs"));
        self.tickets += 1;
        let (ticket, me) = (self.tickets, self.clients[name].clone());
        let wants = list.iter().map(|listed| {
            let topics = String::from_utf8_lossy(&listed.metadata);
            (listed.member.clone(), topics.split(' ').map(str::to_owned).collect())
        });
        let plan = range(&wants.collect(), &self.topics);
        let text = |theirs: Vec<(String, u32)>| {
            let words: Vec<String> =
                theirs.iter().map(|(topic, n)| format!("{topic}{n}")).collect();
            words.join(" ").into_bytes()
        };
        let plan = plan.into_iter().map(|(member, theirs)| (member, text(theirs))).collect();
        self.open.insert(ticket);
        self.client(name).doing = Doing::Syncing(ticket);
        let next = self.group.sync(self.now_ms, ticket, &me.id, me.generation, plan);
        self.told(next);
    }

    fn heartbeat(&mut self, name: &str) {
        self.say(&format!("{name} sends a heartbeat"));
        let now_ms = self.now_ms;
        let every_ms = self.rng.u64(1..SESSION_MS / 2);
        let me = self.client(name);
        me.next_heartbeat_ms = now_ms + every_ms;
        let (id, generation) = (me.id.clone(), me.generation);
        let open = self.group.state() == State::PreparingRebalance;
        let expected = match self.known(&id, generation) {
            Ok(()) if open => Err(Error::RebalanceInProgress),
            known => known,
        };
        let got = self.group.heartbeat(now_ms, &id, generation);
        check(
            "R4.9",
            format!("the answer to {id}'s heartbeat, generation {generation}"),
            &got,
            &expected,
        );
        if got.is_err() {
            self.again(name, got.expect_err("it is one"));
        }
    }

    /// What a client does after an error: it joins again, as somebody new if nobody knows it.
    fn again(&mut self, name: &str, error: Error) {
        let me = self.client(name);
        me.doing = Doing::Nothing;
        match error {
            Error::MemberIdRequired { member } => me.id = member,
            Error::UnknownMemberId { .. } => me.id = String::new(),
            _ => {}
        }
        self.join(name);
    }

    fn leave(&mut self, name: &str) {
        self.say(&format!("{name} leaves"));
        let id = std::mem::take(&mut self.client(name).id);
        let expected = self.known(&id, self.generation).map_err(|error| error.to_string());
        self.client(name).doing = Doing::Nothing;
        let left = self.group.leave(self.now_ms, &id);
        let got = left.as_ref().map(|_| ()).map_err(ToString::to_string);
        check("R4.10", format!("whether {id} may leave"), got, expected);
        self.told(left.unwrap_or_default());
    }

    fn told(&mut self, next: Vec<Next>) {
        self.round_is_over(&next);
        for next in next {
            let (ticket, error) = match next {
                Next::Save { generation } => {
                    let next = self.group.saved(self.now_ms, generation);
                    self.told(next);
                    continue;
                }
                Next::Joined { ticket, member, generation, leader, members, .. } => {
                    let name = self.answered(ticket);
                    if member == leader {
                        let listed: Vec<&str> =
                            members.iter().map(|listed| listed.member.as_str()).collect();
                        check(
                            "R4.14",
                            format!("what {member}, who leads, is told"),
                            listed,
                            self.members(),
                        );
                    }
                    let leads = !members.is_empty();
                    check(
                        "R4.14",
                        format!("whether {member} is told the members"),
                        leads,
                        member == leader,
                    );
                    check(
                        "R4.16",
                        "the generation of a join's answer",
                        generation,
                        self.group.generation(),
                    );
                    let now_ms = self.now_ms;
                    let me = self.client(&name);
                    (me.id, me.generation, me.doing) = (member, generation, Doing::Joined(members));
                    me.next_heartbeat_ms = now_ms;
                    continue;
                }
                Next::Synced { ticket, assignment } => {
                    let name = self.answered(ticket);
                    let text = String::from_utf8(assignment).expect("text");
                    let words = text.split_whitespace();
                    let reads = words
                        .map(|word| (word[..1].to_owned(), word[1..].parse().expect("a number")));
                    let now_ms = self.now_ms;
                    let me = self.client(&name);
                    (me.doing, me.next_heartbeat_ms) =
                        (Doing::Reading(reads.collect()), now_ms + 1);
                    continue;
                }
                Next::Refused { ticket, error } => (ticket, error),
            };
            let name = self.answered(ticket);
            self.again(&name, error);
        }
    }

    fn answered(&mut self, ticket: u64) -> String {
        check(
            "R4.18",
            format!("whether ticket {ticket} waits for an answer"),
            self.open.remove(&ticket),
            true,
        );
        let waits =
            |me: &Client| me.doing == Doing::Joining(ticket) || me.doing == Doing::Syncing(ticket);
        let found = self.clients.iter().find(|(_, me)| waits(me));
        found.expect("somebody waits for it").0.clone()
    }

    fn client(&mut self, name: &str) -> &mut Client {
        self.clients.get_mut(name).expect("one of the clients")
    }
}

impl Client {
    /// When it does something by itself.
    fn next_act_ms(&self) -> Option<u64> {
        match self.doing {
            Doing::Joined(_) | Doing::Reading(_) => {
                Some(self.next_heartbeat_ms.max(self.asleep_ms))
            }
            _ => None,
        }
    }
}
