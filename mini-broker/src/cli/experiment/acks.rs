//! `experiment acks`: a leader is killed with -9 while numbered records come, under acks=0, acks=1 and
//! acks=all. Which of the records that were acknowledged are there afterwards?
//!
//! It starts its own cluster, a process for each node: it must be able to kill them. So it takes no
//! `--bootstrap-server`.
//!
//! On one machine a follower has a record within a millisecond, and a leader that dies takes nothing
//! with it, nearly every time. Elsewhere a follower waits for a disk or a network. Here its process is
//! paused for a moment before the kill, and goes on just after it.
//!
//! Under each setting the producer is Kafka's with that setting: with acks=all idempotent, as Kafka's
//! default is; with 1 and 0 not, since Kafka's cannot be either. All three repeat what failed.

mod picture;
mod questions;
mod round;
mod speed;
mod topic;
mod words;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

use super::own_cluster::OwnCluster;
use crate::cli::nodes::Signals;
use crate::cli::{Failure, terminal};
use crate::client::producer::Settings;
use crate::labs;
use questions::Answers;
use round::Round;
use speed::Speed;
use topic::Topic;

const BROKERS: i32 = 3;
/// What comes to no end by then has a reason, and a broker has told it.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long followers hang, if there is time for it.
const HANG: Duration = Duration::from_millis(400);

#[derive(clap::Args)]
pub struct Args {
    /// Records under each setting
    #[arg(long, value_name = "NUMBER", default_value_t = 1_500,
        value_parser = clap::value_parser!(u64).range(50..=50_000))]
    records: u64,

    /// Records a second
    #[arg(long, value_name = "NUMBER", default_value_t = 500,
        value_parser = clap::value_parser!(u64).range(10..=5_000))]
    rate: u64,

    /// Where chance begins: it says at which record the leader dies
    #[arg(long, value_name = "NUMBER", default_value_t = 7)]
    seed: u64,

    /// A file that gets the picture, as SVG
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,

    /// What you had guessed, such as P3.1=7; shown beside what was seen
    #[arg(long, value_name = "ID=ANSWER", value_parser = terminal::name_value)]
    said: Vec<(String, String)>,
}

/// What happens when, the same under each setting.
pub struct Plan {
    pub seed: u64,
    pub records: u64,
    pub rate: u64,
    /// Before this record is sent the followers hang, ...
    pub hang_at: u64,
    pub hang: Duration,
    /// ... and before this one the leader dies and they go on.
    pub kill_at: u64,
}

impl Plan {
    fn new(args: &Args) -> Self {
        let Args { records, rate, seed, .. } = *args;
        // In the middle, more or less.
        let per_mille = 450 + Pcg64::new(seed.into(), 0xac5).next_u64() % 101;
        let kill_at = records * per_mille / 1_000;
        let hang = HANG.min(Duration::from_secs_f64(records as f64 / rate as f64 / 4.0));
        let hang_at = kill_at - (hang.as_secs_f64() * rate as f64) as u64;
        Self { seed, records, rate, hang_at, hang, kill_at }
    }

    /// When a record is sent, from the start on. The first has number 1.
    pub fn due(&self, record: u64) -> Duration {
        Duration::from_secs_f64((record - 1) as f64 / self.rate as f64)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acks {
    None,
    Leader,
    All,
}

impl Acks {
    const EACH: [Acks; 3] = [Acks::None, Acks::Leader, Acks::All];

    pub fn name(self) -> &'static str {
        match self {
            Acks::None => "acks=0",
            Acks::Leader => "acks=1",
            Acks::All => "acks=all",
        }
    }

    /// Kafka's producer with this setting. Of its requests on their way to a broker ours has one.
    pub fn settings(self) -> Settings {
        let acks = match self {
            Acks::None => 0,
            Acks::Leader => 1,
            Acks::All => -1,
        };
        Settings { acks, idempotent: self == Acks::All, ..Settings::default() }
    }
}

/// What was seen under one setting.
pub struct View {
    pub acks: Acks,
    pub round: Round,
}

/// All that the experiment has found out.
pub struct Outcome {
    pub plan: Plan,
    pub speeds: Vec<Speed>,
    pub views: Vec<View>,
    pub answers: Answers,
    pub said: Vec<(String, String)>,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    super::check_picture(args.picture.as_deref())?;
    let mut signals = Signals::new()?;
    let outcome = tokio::select! {
        outcome = experiment(Plan::new(&args), args.said) => outcome?,
        // What was begun is dropped, and the cluster with it.
        () = signals.next() => return Err(Failure::new("interrupted; the cluster is gone")),
    };
    let mut out = terminal::out();
    words::write(&outcome, &labs::banner(), &mut out)?;
    if let Some(file) = &args.picture {
        fs::write(file, picture::svg(&outcome))?;
        writeln!(out, "\nThe picture: {}", file.display())?;
    }
    Ok(out.flush()?)
}

async fn experiment(plan: Plan, said: Vec<(String, String)>) -> Result<Outcome, Failure> {
    let mut cluster = OwnCluster::start(BROKERS).await?;
    let mut progress = terminal::Progress::alone();
    let speeds = speed::measure(&cluster).await?;
    let mut views = Vec::new();
    for (leader, acks) in (1..).zip(Acks::EACH) {
        let topic = Topic::create(&cluster, acks.name(), leader, 2).await?;
        let round = round::run(&mut cluster, &topic, acks, &plan, &mut progress).await?;
        views.push(View { acks, round });
    }
    progress.update(|| "two questions".to_owned());
    let answers = questions::ask(&mut cluster).await?;
    Ok(Outcome { plan, speeds, views, answers, said })
}
