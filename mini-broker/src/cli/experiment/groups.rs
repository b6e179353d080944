//! `experiment groups`: a group of real consumer processes while members come, die, hang and dawdle, and
//! a second group beside it. Who reads what, how much do they do together, and what is done twice?
//!
//! Records come at a steady rate, and each costs a member a fixed time. One alone cannot keep up, four
//! can, and whoever does the work of two falls behind: these are the numbers of the chapter.
//!
//! In a terminal it is live. Sessions are three seconds long here, as nobody likes to watch 45.

mod group;
mod load;
mod picture;
mod play;
mod questions;
mod scene;
mod screen;
mod story;
mod tally;
mod words;

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use crate::cli::nodes::Signals;
use crate::cli::{Failure, terminal};
use crate::labs;
use play::Played;
use questions::Answers;
use scene::Scene;

const TOPIC: &str = "orders";
const PARTITIONS: usize = 4;
/// Records a second that come to each partition, ...
const PARTITION_RATE: u64 = 250;
/// ... and that a member of the first group can do.
const MEMBER_RATE: u64 = 300;
const SHIPPING: &str = "shipping";
const BILLING: &str = "billing";

#[derive(clap::Args)]
pub struct Args {
    /// No story: it is you who adds, kills, freezes and slows down, with keys that the screen tells
    #[arg(long)]
    by_hand: bool,

    /// A file that gets the picture, as SVG
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,

    /// What you had guessed, such as P4.2=30; shown beside what was seen
    #[arg(long, value_name = "ID=ANSWER", value_parser = terminal::name_value)]
    said: Vec<(String, String)>,
}

/// All that the experiment has found out.
pub struct Outcome {
    pub scene: Scene,
    /// All that the first group has committed.
    pub committed: u64,
    /// Of that, what nobody has done.
    pub lost: u64,
    /// Without a story nothing is tried beside it.
    pub answers: Option<Answers>,
    pub said: Vec<(String, String)>,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    super::check_picture(args.picture.as_deref())?;
    let mut signals = Signals::new()?;
    let played = tokio::select! {
        played = play::play(args.by_hand) => played?,
        // What was begun is dropped, and all processes with it.
        () = signals.next() => return Err(Failure::new("interrupted; broker and consumers are gone")),
    };
    let Played { scene, committed, lost, answers } = played;
    let outcome = Outcome { scene, committed, lost, answers, said: args.said };
    let mut out = terminal::out();
    words::write(&outcome, &labs::banner(), &mut out)?;
    if let Some(file) = &args.picture {
        fs::write(file, picture::svg(&outcome))?;
        writeln!(out, "\nThe picture: {}", file.display())?;
    }
    Ok(out.flush()?)
}
