//! `experiment lag`: a producer at a rate, a consumer at another, and what a lag checker makes of it while the consumer
//! dawdles, dies, is stuck and is set back.
//!
//! The checker is the one of `mini-broker lag`: it looks every second, and remembers ten commits and ten ends. So a
//! verdict takes seconds, as it takes minutes where one looks less often.

mod picture;
mod play;
mod questions;
mod scene;
mod story;
mod words;

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use crate::cli::nodes::Signals;
use crate::cli::{Failure, terminal};
use crate::labs;
use questions::Answers;
use scene::Scene;

const TOPIC: &str = "orders";
const GROUP: &str = "invoices";
/// Records that come in a second.
const COME: u64 = 100;
/// Records that the consumer can do in a second, when nothing is wrong.
const CAN: u64 = 300;

#[derive(clap::Args)]
pub struct Args {
    /// No story: it is you who changes the rates, kills and sets back, with keys that the screen tells
    #[arg(long)]
    by_hand: bool,

    /// Watch it in the browser, too: where its broker has a dashboard, such as 127.0.0.1:9081
    #[arg(long, value_name = "HOST:PORT")]
    http: Option<String>,

    /// A file that gets the picture, as SVG
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,

    /// What you had guessed, such as P5.2=30; shown beside what was seen
    #[arg(long, value_name = "ID=ANSWER", value_parser = terminal::name_value)]
    said: Vec<(String, String)>,
}

/// All that the experiment has found out.
pub struct Outcome {
    pub scene: Scene,
    /// Without a story nothing is tried beside it.
    pub answers: Option<Answers>,
    pub said: Vec<(String, String)>,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    super::check_picture(args.picture.as_deref())?;
    let mut signals = Signals::new()?;
    let (scene, answers) = tokio::select! {
        played = play::play(args.by_hand, args.http.as_deref()) => played?,
        // What was begun is dropped, and all processes with it.
        () = signals.next() => return Err(Failure::new("interrupted; broker and consumer are gone")),
    };
    let outcome = Outcome { scene, answers, said: args.said };
    let mut out = terminal::out();
    words::write(&outcome, &labs::banner(), &mut out)?;
    if let Some(file) = &args.picture {
        fs::write(file, picture::svg(&outcome.scene))?;
        writeln!(out, "\nThe picture: {}", file.display())?;
    }
    Ok(out.flush()?)
}
