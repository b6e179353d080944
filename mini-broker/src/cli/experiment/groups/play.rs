//! The experiment itself: a broker, a producer, and members that are processes. What is done to them
//! comes from the story or from keys.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::group::{Life, NAMES};
use super::questions::{self, Answers};
use super::scene::{Looked, Scene};
use super::screen::{self, Hand, frame};
use super::story::{self, Deed};
use super::{BILLING, MEMBER_RATE, PARTITIONS, SHIPPING, TOPIC, load};
use crate::cli::experiment::joined;
use crate::cli::experiment::own_member::{Heard, OwnMember, Said, What};
use crate::cli::experiment::own_node::{OwnNode, Room};
use crate::cli::live::Live;
use crate::cli::{Failure, terminal};
use crate::client::Client;
use crate::client::admin::NewTopic;

const SETTINGS: &[&str] =
    &["group.initial.rebalance.delay.ms=500", "group.min.session.timeout.ms=1000"];
pub const SESSION_MS: u64 = 3_000;
const MAX_POLL_MS: u64 = 6_000;
const HEARTBEAT_MS: u64 = 200;
const COMMIT_MS: u64 = 400;
/// A record of a member that is slowed down.
const SLOW_US: u64 = 10_000_000;
/// A member polls again when it has done what one fetch has brought: a batch of each partition.
const FETCH_BYTES: usize = 256;
const BILLING_COST_US: u64 = 100;
const SAMPLES_EVERY: Duration = Duration::from_millis(1_000 / screen::A_SECOND as u64);
/// Members commit and say goodbye within that, or are killed.
const GOODBYE: Duration = Duration::from_secs(5);

const KEYS: &str = "a add  1-9 choose  k kill  f freeze/thaw  s slow/fast  b billing  q quit";

/// What was found out.
pub struct Played {
    pub scene: Scene,
    /// All that the first group has committed.
    pub committed: u64,
    /// Of that, what nobody has done.
    pub lost: u64,
    pub answers: Option<Answers>,
}

pub async fn play(by_hand: bool) -> Result<Played, Failure> {
    let room = Room::new()?;
    let node = OwnNode::start_quiet(SETTINGS, &[], &room.folder("broker")).await?;
    let client = Client::connect(&node.address()).await?;
    create_topic(&mut client.clone()).await?;

    let live = Live::new()?;
    if by_hand && live.is_none() {
        return Err(Failure::usage("--by-hand takes keys, and there is no terminal"));
    }
    let (hears, heard) = unbounded_channel();
    let (tells, looks) = unbounded_channel();
    let start = Instant::now();
    let mut beside = JoinSet::new();
    beside.spawn(load::produce(client.clone(), start));
    beside.spawn(load::look(client.clone(), tells));
    let mut questions = JoinSet::new();
    if !by_hand {
        questions.spawn(questions::ask(node.address()));
    }
    let mut stage = Stage {
        server: node.address(),
        start,
        scene: Scene::new(PARTITIONS),
        members: Vec::new(),
        billing: None,
        hears,
        live,
        hand: by_hand.then_some(Hand { chosen: 0, keys: KEYS }),
        told: 0,
    };
    let ears = Ears { heard, looks, beside, questions, answers: None };
    stage.run(ears, client).await
}

async fn create_topic(client: &mut Client) -> Result<(), Failure> {
    Ok(client.create_topic(&NewTopic::named(TOPIC, PARTITIONS as i32)).await?)
}

/// Everything that may happen next.
struct Ears {
    heard: UnboundedReceiver<Heard>,
    looks: UnboundedReceiver<Looked>,
    /// Producer and looker. They end only when something is wrong.
    beside: JoinSet<Result<(), Failure>>,
    questions: JoinSet<Result<Answers, Failure>>,
    answers: Option<Answers>,
}

struct Stage {
    server: String,
    start: Instant,
    scene: Scene,
    members: Vec<OwnMember>,
    billing: Option<OwnMember>,
    hears: UnboundedSender<Heard>,
    live: Option<Live>,
    hand: Option<Hand>,
    /// Events that were printed, where nothing is live.
    told: usize,
}

impl Stage {
    async fn run(&mut self, mut ears: Ears, mut client: Client) -> Result<Played, Failure> {
        let mut acts: VecDeque<(Duration, Deed)> = match self.hand {
            None => story::acts().collect(),
            Some(_) => VecDeque::from([(Duration::ZERO, Deed::Start(0))]),
        };
        let end = self.hand.is_none().then(|| Duration::from_secs_f64(story::END));
        let mut next_sample = self.start + SAMPLES_EVERY;
        loop {
            let next_act = acts.front().map(|(at, _)| *at).or(end).map(|at| self.start + at);
            let act = async {
                match next_act {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let key = async {
                match &mut self.live {
                    Some(live) => live.key().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(heard) = ears.heard.recv() => self.hear(heard)?,
                Some(looked) = ears.looks.recv() => self.scene.looked(&looked),
                () = act => match acts.pop_front() {
                    Some((_, deed)) => self.perform(deed)?,
                    None => break,
                },
                () = sleep_until(next_sample) => {
                    next_sample += SAMPLES_EVERY;
                    self.scene.sample(self.start.elapsed());
                    self.show()?;
                }
                key = key => match self.press(key) {
                    None => break,
                    Some(deeds) => {
                        deeds.into_iter().try_for_each(|deed| self.perform(deed))?;
                        self.show()?;
                    }
                },
                Some(ended) = ears.beside.join_next() => joined(ended)?,
                Some(ended) = ears.questions.join_next() => ears.answers = Some(joined(ended)?),
            }
        }
        self.scene.close(self.start.elapsed());
        self.stop(&mut ears).await?;
        let looked = load::looked(&mut client).await?;
        while let Some(ended) = ears.questions.join_next().await {
            ears.answers = Some(joined(ended)?);
        }
        // Before anything else is printed.
        self.live = None;
        let scene = std::mem::replace(&mut self.scene, Scene::new(PARTITIONS));
        let lost = scene.shipping.tally.lost(&looked.shipping);
        let committed = looked.shipping.iter().map(|offset| *offset as u64).sum();
        Ok(Played { scene, committed, lost, answers: ears.answers })
    }

    fn hear(&mut self, Heard { member, at, what }: Heard) -> Result<(), Failure> {
        let at = at - self.start;
        match (what, member == NAMES.len()) {
            (What::Said(said), false) => self.scene.said(at, member, said),
            (What::Said(said), true) => self.scene.billing_said(said),
            (What::Ended(_), false) if self.scene.shipping.members[member].life == Life::Dead => {}
            (What::Ended(words), billing) => {
                let name = if billing { BILLING } else { NAMES[member] };
                let words = if words.is_empty() { "without a word" } else { &words };
                return Err(Failure::new(format!("{name} has ended: {words}")));
            }
        }
        Ok(())
    }

    fn perform(&mut self, deed: Deed) -> Result<(), Failure> {
        let cost_us = 1_000_000 / MEMBER_RATE;
        match deed {
            Deed::Start(number) => {
                let args = self.args(SHIPPING, NAMES[number], cost_us);
                self.members.push(OwnMember::start(number, &args, &self.hears)?);
            }
            Deed::Kill(member) => self.members[member].kill()?,
            Deed::Freeze(member) => self.members[member].freeze()?,
            Deed::Thaw(member) => self.members[member].thaw()?,
            Deed::Slow(member) => self.members[member].costs_us(SLOW_US)?,
            Deed::Hurry(member) => self.members[member].costs_us(cost_us)?,
            Deed::Second => {
                let args = self.args(BILLING, BILLING, BILLING_COST_US);
                self.billing = Some(OwnMember::start(NAMES.len(), &args, &self.hears)?);
            }
        }
        self.scene.act(self.start.elapsed(), deed);
        Ok(())
    }

    fn args(&self, group: &str, name: &str, cost_us: u64) -> Vec<String> {
        let named = [
            ("bootstrap-server", self.server.clone()),
            ("topic", TOPIC.to_owned()),
            ("group", group.to_owned()),
            ("name", name.to_owned()),
            ("cost-us", cost_us.to_string()),
            ("session-timeout-ms", SESSION_MS.to_string()),
            ("heartbeat-interval-ms", HEARTBEAT_MS.to_string()),
            ("max-poll-interval-ms", MAX_POLL_MS.to_string()),
            ("auto-commit-interval-ms", COMMIT_MS.to_string()),
            ("max-partition-fetch-bytes", FETCH_BYTES.to_string()),
        ];
        named.into_iter().flat_map(|(name, value)| [format!("--{name}"), value]).collect()
    }

    /// What a key wants done; `None`: it is over.
    fn press(&mut self, key: u8) -> Option<Vec<Deed>> {
        let Some(hand) = &mut self.hand else { return Some(Vec::new()) };
        let members = &self.scene.shipping.members;
        let life = members.get(hand.chosen).map(|member| member.life);
        let deed = match (key, life) {
            (b'q', _) => return None,
            (b'1'..=b'9', _) => {
                let number = usize::from(key - b'1');
                if number < members.len() {
                    hand.chosen = number;
                }
                None
            }
            (b'a', _) if members.len() < NAMES.len() => {
                hand.chosen = members.len();
                Some(Deed::Start(members.len()))
            }
            (b'k', Some(Life::Runs | Life::Slow | Life::Frozen)) => Some(Deed::Kill(hand.chosen)),
            (b'f', Some(Life::Runs)) => Some(Deed::Freeze(hand.chosen)),
            (b'f', Some(Life::Frozen)) => Some(Deed::Thaw(hand.chosen)),
            (b's', Some(Life::Runs)) => Some(Deed::Slow(hand.chosen)),
            (b's', Some(Life::Slow)) => Some(Deed::Hurry(hand.chosen)),
            (b'b', _) if self.billing.is_none() => Some(Deed::Second),
            _ => None,
        };
        Some(deed.into_iter().collect())
    }

    fn show(&mut self) -> io::Result<()> {
        match &self.live {
            Some(live) => live.draw(&frame(&self.scene, self.start.elapsed(), self.hand.as_ref())),
            None => {
                for (at, event) in &self.scene.events[self.told..] {
                    terminal::say(format_args!("{}", screen::told(*at, event)));
                }
                self.told = self.scene.events.len();
                Ok(())
            }
        }
    }

    /// All say goodbye. Whoever cannot is killed.
    async fn stop(&mut self, ears: &mut Ears) -> Result<(), Failure> {
        let mut waits = BTreeSet::new();
        let lives = self.scene.shipping.members.iter().map(|member| member.life);
        for ((number, member), life) in self.members.iter_mut().enumerate().zip(lives) {
            match life {
                Life::Runs | Life::Slow => {
                    member.stop();
                    waits.insert(number);
                }
                Life::Frozen => member.kill()?,
                Life::Dead => {}
            }
        }
        if let Some(billing) = &mut self.billing {
            billing.stop();
            waits.insert(NAMES.len());
        }
        let give_up = Instant::now() + GOODBYE;
        while !waits.is_empty() {
            let heard = timeout(give_up - Instant::now(), ears.heard.recv()).await;
            let Ok(Some(Heard { member, what, .. })) = heard else { break };
            match what {
                What::Said(Said::Done { partition, first, last }) if member < NAMES.len() => {
                    self.scene.shipping.done(member, partition, first, last);
                }
                What::Said(_) => {}
                What::Ended(_) => _ = waits.remove(&member),
            }
        }
        Ok(())
    }
}
