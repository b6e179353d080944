//! The experiment itself: a broker, a producer, a consumer that is a process, and a lag checker. What is done to them comes
//! from the story or from keys.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::questions::{self, Answers};
use super::scene::{Count, Scene};
use super::story::{self, Deed};
use super::{CAN, COME, GROUP, TOPIC};
use crate::cli::experiment::joined;
use crate::cli::experiment::message;
use crate::cli::experiment::own_member::{Heard, OwnMember, Said, What};
use crate::cli::experiment::own_node::{OwnNode, Room};
use crate::cli::lag::table;
use crate::cli::live::{Line, Live, Weight};
use crate::cli::{Failure, terminal};
use crate::client::admin::NewTopic;
use crate::client::group_admin::{Committed, Committer};
use crate::client::{Client, Producer, producer};
use crate::monitor::Settings;
use crate::monitor::watch::Watch;

const SETTINGS: &[&str] =
    &["group.initial.rebalance.delay.ms=0", "group.min.session.timeout.ms=1000"];
const SESSION_MS: u64 = 2_000;
const HEARTBEAT_MS: u64 = 200;
const COMMIT_MS: u64 = 1_000;
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// So often a batch is sent.
const SEND_EVERY: Duration = Duration::from_millis(50);
/// It says goodbye within that.
const GOODBYE: Duration = Duration::from_secs(5);
/// What one key changes a rate by.
const STEP: u64 = 20;

const KEYS: &str =
    "p/P come less/more  c/C do less/more  k kill  s start  t stuck/on  r set back  q quit";

/// `http`: where the broker shows a dashboard.
pub async fn play(by_hand: bool, http: Option<&str>) -> Result<(Scene, Option<Answers>), Failure> {
    let room = Room::new()?;
    let flags: Vec<&str> = http.into_iter().flat_map(|at| ["--http", at]).collect();
    let node = OwnNode::start_quiet(SETTINGS, &flags, &room.folder("broker")).await?;
    let mut client = Client::connect(&node.address()).await?;
    client.create_topic(&NewTopic::named(TOPIC, 1)).await?;

    let live = Live::new()?;
    if by_hand && live.is_none() {
        return Err(Failure::usage("--by-hand takes keys, and there is no terminal"));
    }
    let start = Instant::now();
    let (rate, rates) = watch::channel(COME);
    let (come, comes) = watch::channel(0);
    let mut beside = JoinSet::new();
    beside.spawn(produce(client.clone(), rates, come));
    let mut questions = JoinSet::new();
    if !by_hand {
        questions.spawn(questions::ask(client.clone()));
    }
    let (hears, heard) = unbounded_channel();
    let watch = Watch::begin(
        Client::connect(&node.address()).await?,
        Some(GROUP),
        Settings::default(),
        now_ms(),
    )
    .await?;
    let stage = Stage {
        server: node.address(),
        client,
        start,
        watch,
        consumer: None,
        started: 0,
        stuck: false,
        does: CAN,
        rate,
        come: comes,
        done: 0,
        scene: Scene::default(),
        hears,
        live,
        by_hand,
        told: 0,
    };
    stage.run(heard, beside, questions).await
}

fn now_ms() -> u64 {
    terminal::wall_ms().try_into().unwrap_or(0)
}

/// Sends records at the rate that it is told, for as long as it is not dropped.
async fn produce(
    client: Client,
    rate: watch::Receiver<u64>,
    come: watch::Sender<u64>,
) -> Result<(), Failure> {
    let mut producer = Producer::new(client, TOPIC, producer::Settings::default()).await?;
    let (mut due, mut owed) = (Instant::now(), 0.0);
    loop {
        due += SEND_EVERY;
        owed += *rate.borrow() as f64 * SEND_EVERY.as_secs_f64();
        let records = owed as u64;
        owed -= records as f64;
        for number in 0..records {
            producer.push(0, message(number.to_string().as_bytes()));
        }
        producer.close_all();
        come.send_modify(|come| *come += records);
        while Instant::now() < due {
            let ended = tokio::select! {
                ended = producer.progress() => ended?,
                () = sleep_until(due) => break,
            };
            for delivery in ended {
                delivery.result?;
            }
        }
    }
}

struct Stage {
    server: String,
    client: Client,
    start: Instant,
    watch: Watch,
    consumer: Option<OwnMember>,
    /// How many consumers there were: each has a number of its own.
    started: usize,
    stuck: bool,
    does: u64,
    rate: watch::Sender<u64>,
    come: watch::Receiver<u64>,
    /// Records below this offset are done.
    done: u64,
    scene: Scene,
    hears: UnboundedSender<Heard>,
    live: Option<Live>,
    by_hand: bool,
    /// Looks that were printed, where nothing is live.
    told: usize,
}

impl Stage {
    async fn run(
        mut self,
        mut heard: UnboundedReceiver<Heard>,
        mut beside: JoinSet<Result<(), Failure>>,
        mut questions: JoinSet<Result<Answers, Failure>>,
    ) -> Result<(Scene, Option<Answers>), Failure> {
        let mut acts: VecDeque<(Duration, Deed)> = match self.by_hand {
            false => story::acts().collect(),
            true => VecDeque::from([(Duration::ZERO, Deed::Start)]),
        };
        let end = (!self.by_hand).then(|| Duration::from_secs_f64(story::END));
        let mut next_look = self.start + LOOK_EVERY;
        let mut answers = None;
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
                fetched = self.watch.wait() => self.watch.take(now_ms(), &fetched?),
                Some(heard) = heard.recv() => self.hear(heard)?,
                () = act => match acts.pop_front() {
                    Some((_, deed)) => self.perform(deed).await?,
                    None => break,
                },
                () = sleep_until(next_look) => {
                    next_look += LOOK_EVERY;
                    self.look().await?;
                }
                key = key => match (key, self.by_hand) {
                    (b'q', _) => break,
                    (key, true) => {
                        if let Some(deed) = self.press(key) {
                            self.perform(deed).await?;
                        }
                        self.show()?;
                    }
                    _ => {}
                },
                Some(ended) = beside.join_next() => joined(ended)?,
                Some(ended) = questions.join_next() => answers = Some(joined(ended)?),
            }
        }
        self.stop().await?;
        // Before anything else is printed.
        self.live = None;
        Ok((self.scene, answers))
    }

    async fn look(&mut self) -> Result<(), Failure> {
        self.watch.look(now_ms()).await?;
        self.watch.look_up_times().await?;
        let group = self.watch.monitor.group(now_ms(), GROUP);
        self.scene.looked(self.start.elapsed(), group.as_ref());
        self.count();
        Ok(self.show()?)
    }

    fn count(&mut self) {
        let (come, done) = (*self.come.borrow(), self.done);
        self.scene.counts.push(Count { at: self.start.elapsed(), come, done });
    }

    fn hear(&mut self, Heard { member, what, .. }: Heard) -> Result<(), Failure> {
        match what {
            What::Said(Said::Done { last, .. }) => {
                self.done = last as u64 + 1;
                self.count();
            }
            What::Said(_) => {}
            What::Ended(words) if self.consumer.is_some() && member == self.started => {
                let words = if words.is_empty() { "without a word" } else { &words };
                return Err(Failure::new(format!("the consumer has ended: {words}")));
            }
            What::Ended(_) => {}
        }
        Ok(())
    }

    async fn perform(&mut self, deed: Deed) -> Result<(), Failure> {
        self.scene.acts.push((self.start.elapsed(), deed));
        let cost_us = |rate: u64| 1_000_000 / rate.max(1);
        match deed {
            Deed::Start => self.start_consumer()?,
            Deed::Kill => {
                if let Some(mut consumer) = self.consumer.take() {
                    consumer.kill()?;
                }
                self.stuck = false;
            }
            Deed::Does(rate) => {
                self.does = rate;
                if let Some(consumer) = &mut self.consumer {
                    consumer.costs_us(cost_us(rate))?;
                }
            }
            Deed::Come(rate) => drop(self.rate.send_replace(rate)),
            Deed::Stuck | Deed::Unstuck => {
                self.stuck = deed == Deed::Stuck;
                if let Some(consumer) = &mut self.consumer {
                    consumer.is_stuck(self.stuck)?;
                }
            }
            Deed::SetBack(by) => {
                self.stop().await?;
                let partition = (TOPIC.to_owned(), 0);
                let committed = self.client.committed(GROUP, None, false).await?;
                let from = committed.get(&partition).map_or(0, |at| at.offset);
                let back = Committed { offset: (from - by as i64).max(0), leader_epoch: -1 };
                let offsets = BTreeMap::from([(partition, back)]);
                // A member that has died is one until its session is over.
                let commit = async {
                    while self.client.commit(GROUP, &Committer::default(), &offsets).await.is_err()
                    {
                        sleep(Duration::from_millis(100)).await;
                    }
                };
                let late = |_| Failure::new(format!("group {GROUP} cannot be set back"));
                timeout(GOODBYE, commit).await.map_err(late)?;
                self.start_consumer()?;
            }
        }
        Ok(())
    }

    fn start_consumer(&mut self) -> Result<(), Failure> {
        // From now on it does what it can.
        if !self.by_hand {
            self.does = CAN;
        }
        let named = [
            ("bootstrap-server", self.server.clone()),
            ("topic", TOPIC.to_owned()),
            ("group", GROUP.to_owned()),
            ("name", GROUP.to_owned()),
            ("cost-us", (1_000_000 / self.does.max(1)).to_string()),
            ("session-timeout-ms", SESSION_MS.to_string()),
            ("heartbeat-interval-ms", HEARTBEAT_MS.to_string()),
            ("auto-commit-interval-ms", COMMIT_MS.to_string()),
            // It polls, and so commits, when it has done what one fetch has brought.
            ("max-partition-fetch-bytes", "256".to_owned()),
        ];
        let args: Vec<String> =
            named.into_iter().flat_map(|(name, value)| [format!("--{name}"), value]).collect();
        self.started += 1;
        self.stuck = false;
        self.consumer = Some(OwnMember::start(self.started, &args, &self.hears)?);
        Ok(())
    }

    /// What a key wants done.
    fn press(&self, key: u8) -> Option<Deed> {
        let (come, does) = (*self.rate.borrow(), self.does);
        match (key, self.consumer.is_some()) {
            (b'p', _) => Some(Deed::Come(come.saturating_sub(STEP))),
            (b'P', _) => Some(Deed::Come(come + STEP)),
            (b'c', true) if does > STEP => Some(Deed::Does(does - STEP)),
            (b'C', true) => Some(Deed::Does(does + STEP)),
            (b'k', true) => Some(Deed::Kill),
            (b's', false) => Some(Deed::Start),
            (b't', true) => Some(if self.stuck { Deed::Unstuck } else { Deed::Stuck }),
            (b'r', true) => Some(Deed::SetBack(500)),
            _ => None,
        }
    }

    fn show(&mut self) -> io::Result<()> {
        let Some(live) = &self.live else {
            for look in &self.scene.looks[self.told..] {
                let status = look.status.map_or("?", |status| status.name());
                let at = look.at.as_secs_f64();
                terminal::say(format_args!("{at:>5.1} s  {status:<7} lag {}", look.lag));
            }
            self.told = self.scene.looks.len();
            return Ok(());
        };
        let line = |text: String, weight| Line { text, weight };
        let (come, does) = (*self.rate.borrow(), self.does);
        let consumer = match (&self.consumer, self.stuck) {
            (None, _) => "the consumer is dead".to_owned(),
            (Some(_), true) => "the consumer is stuck at a record".to_owned(),
            (Some(_), false) => format!("the consumer can do {does}"),
        };
        let title = format!("{TOPIC}: {come} records a second come; {consumer}");
        let at = self.start.elapsed().as_secs_f64();
        let mut lines = vec![line(format!("{title:<70}{at:>7.1} s"), Weight::Bold)];
        lines.push(line(String::new(), Weight::Plain));
        match self.watch.monitor.group(now_ms(), GROUP) {
            Some(group) => lines.extend(table::lines(&[group])),
            None => lines.extend(table::nothing("nothing is committed yet")),
        }
        lines.push(line(String::new(), Weight::Plain));
        for (at, deed) in self.scene.acts.iter().rev().take(10).rev() {
            lines.push(line(format!("{:>5.1} s  {deed}", at.as_secs_f64()), Weight::Plain));
        }
        if self.by_hand {
            lines.push(line(String::new(), Weight::Plain));
            lines.push(line(KEYS.to_owned(), Weight::Dim));
        }
        live.draw(&lines)
    }

    /// It commits and says goodbye, or is killed.
    async fn stop(&mut self) -> Result<(), Failure> {
        let Some(mut consumer) = self.consumer.take() else { return Ok(()) };
        if self.stuck {
            consumer.is_stuck(false)?;
            self.stuck = false;
        }
        consumer.stop();
        let gone = async {
            while !self.client.describe_group(GROUP).await?.0.members.is_empty() {
                sleep(Duration::from_millis(50)).await;
            }
            Ok::<_, Failure>(())
        };
        timeout(GOODBYE, gone).await.unwrap_or(Ok(()))
    }
}
