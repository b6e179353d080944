//! Two questions before the run. At a terminal they are asked; whoever has said it on the command line
//! is not asked again.

use std::io::{self, BufRead, IsTerminal, Write};

use super::RATE;
use crate::cli::Failure;

/// A number of consumers on a number of partitions, and what was expected of them.
#[derive(Debug, Clone)]
pub struct Answer {
    pub id: &'static str,
    pub partitions: usize,
    pub consumers: usize,
    /// Empty: nothing.
    pub said: String,
}

const ASKED: [(&str, usize, usize); 2] = [("S1", 4, 8), ("S2", 8, 4)];

pub fn ask(said: &[(String, String)]) -> Result<Vec<Answer>, Failure> {
    let mut answers: Vec<Answer> = ASKED.iter().map(|asked| answer(*asked, said)).collect();
    if io::stdin().is_terminal() && io::stdout().is_terminal() {
        prompt(&mut answers)?;
    }
    Ok(answers)
}

fn answer(
    (id, partitions, consumers): (&'static str, usize, usize),
    said: &[(String, String)],
) -> Answer {
    let said = said.iter().find(|(name, _)| name == id).map(|(_, answer)| answer.clone());
    Answer { id, partitions, consumers, said: said.unwrap_or_default() }
}

fn prompt(answers: &mut [Answer]) -> io::Result<()> {
    let mut out = io::stdout();
    let mut open = answers.iter_mut().filter(|answer| answer.said.is_empty()).peekable();
    if open.peek().is_some() {
        writeln!(
            out,
            "A consumer can do {RATE} records a second. What do these do? (Enter skips.)"
        )?;
    }
    for answer in open {
        let Answer { consumers, partitions, .. } = answer;
        write!(out, "  {consumers} consumers on {partitions} partitions, records a second: ")?;
        out.flush()?;
        let mut line = String::new();
        if io::stdin().lock().read_line(&mut line)? == 0 {
            break;
        }
        answer.said = line.trim().to_owned();
    }
    writeln!(out)
}
