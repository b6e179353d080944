//! The outcome as text: a row for each deed, and what was predicted.

use std::io::{self, Write};

use super::scene::Scene;
use super::{CAN, COME, Outcome};
use crate::cli::lag::table::duration;
use crate::cli::terminal::thousands;
use crate::labs::lag::Status;
use crate::monitor::view::Drain;

pub fn write(outcome: &Outcome, banner: &str, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{COME} records a second come; the consumer can do {CAN}, and commits every second"
    )?;
    writeln!(out, "{banner}\n")?;
    deeds(&outcome.scene, out)?;
    predictions(outcome, out)
}

fn deeds(scene: &Scene, out: &mut impl Write) -> io::Result<()> {
    let row = |cells: [&str; 6], out: &mut dyn Write| {
        let [at, what, status, after, lag, drain] = cells;
        let line = format!("{at:>6}  {what:<24}{status:<16}{after:>5}{lag:>8}   {drain}");
        writeln!(out, "{}", line.trim_end())
    };
    row(["", "", "", "after", "lag", "all read"], out)?;
    row(["at s", "what", "status", "", "then", "in, then"], out)?;
    let mut before = None;
    for (at, deed, mut outcome) in scene.outcomes() {
        // How the last one has ended stands in the row above.
        if outcome.verdicts.len() > 1 && outcome.verdicts.first().copied() == before {
            outcome.verdicts.remove(0);
        }
        before = outcome.verdicts.last().copied();
        let names = outcome.verdicts.iter().map(|status| status.map_or("?", Status::name));
        let status = names.collect::<Vec<_>>().join(", ");
        let after = outcome.after.map_or(String::new(), |it| format!("{:.0} s", it.as_secs_f64()));
        let drain = match outcome.drain {
            Some(Drain::In { ms }) => duration(ms),
            Some(Drain::Never) => "never".to_owned(),
            Some(Drain::Unknown) => "–".to_owned(),
            None => "?".to_owned(),
        };
        let at = format!("{:.1}", at.as_secs_f64());
        row([&at, &deed.to_string(), &status, &after, &thousands(outcome.lag), &drain], out)?;
    }
    if let Some(unfinished) = &scene.unfinished {
        writeln!(out, "\n{unfinished}")?;
    }
    Ok(())
}

fn predictions(outcome: &Outcome, out: &mut impl Write) -> io::Result<()> {
    let Some(answers) = &outcome.answers else { return Ok(()) };
    let row = |what: &str, seen: &str, said: &str, out: &mut dyn Write| {
        writeln!(out, "{}", format!("  {what:<57}{seen:>5}   {said}").trim_end())
    };
    writeln!(out)?;
    row("", "seen", "you said", out)?;
    let scene = &outcome.scene;
    let seconds = |time: Option<std::time::Duration>| match time {
        Some(time) => format!("{:.0}", time.as_secs_f64()),
        None => "–".to_owned(),
    };
    let overtaken = match &answers.overtaken {
        Ok(lag) => lag.to_string(),
        Err(_) => "?".to_owned(),
    };
    let asked = [
        ("10 sent, 5 committed, 8 deleted: LAG", "P5.1", overtaken),
        ("dead, a look every second: STOP after, in s", "P5.2", seconds(scene.noticed())),
        ("lag 600, 100 come and 160 are done: gone after, in s", "P5.3", seconds(scene.drained())),
    ];
    for (what, question, seen) in asked {
        // Whoever has not predicted it yet is not told it.
        match outcome.said.iter().find(|(id, _)| id == question) {
            Some((_, said)) => row(what, &seen, &format!("{question}: {said}"), out)?,
            None => row(what, "?", &format!("{question}: say first"), out)?,
        }
    }
    if outcome.said.iter().any(|(id, _)| id == "P5.1") {
        writeln!(out, "  Of the records behind that LAG {} are still there.", answers.left)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::questions::Answers;
    use super::super::scene::tests::scene;
    use super::*;

    #[test]
    fn each_deed_has_a_row() {
        let said = [("P5.1", "2"), ("P5.3", "4")];
        let outcome = Outcome {
            scene: scene(),
            answers: Some(Answers { overtaken: Ok(5), left: 2 }),
            said: said.map(|(id, answer)| (id.to_owned(), answer.to_owned())).to_vec(),
        };
        let mut out = Vec::new();
        write(&outcome, "organs: all ours", &mut out).unwrap();
        let expected = "\
100 records a second come; the consumer can do 300, and commits every second
organs: all ours

                                                after     lag   all read
  at s  what                    status                   then   in, then
   0.0  it starts               OK                1 s      14   70 ms
   5.0  it does 160 a second    OK                0 s      29   145 ms
  20.0  kill -9                 STOP              8 s   1,300   never

                                                            seen   you said
  10 sent, 5 committed, 8 deleted: LAG                         5   P5.1: 2
  dead, a look every second: STOP after, in s                  ?   P5.2: say first
  lag 600, 100 come and 160 are done: gone after, in s        10   P5.3: 4
  Of the records behind that LAG 2 are still there.
";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
