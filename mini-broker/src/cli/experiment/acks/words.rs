//! The outcome as text: a table, a line on each of its rows, and what was predicted.

use std::io::{self, Write};
use std::time::Duration;

use super::speed::{Rate, Speed};
use super::{Acks, Outcome, View};
use crate::cli::terminal::thousands;

pub fn write(outcome: &Outcome, banner: &str, out: &mut impl Write) -> io::Result<()> {
    let plan = &outcome.plan;
    writeln!(
        out,
        "A partition on three brokers, min.insync.replicas=2; {} records a setting, {} a second (seed {})",
        plan.records, plan.rate, plan.seed
    )?;
    writeln!(out, "{banner}\n")?;
    writeln!(
        out,
        "Before record {} both followers hang (SIGSTOP). {:.1} s later, before record {}, the leader is\n\
         killed (kill -9) and they go on (SIGCONT). In the end it comes back, and all is read.\n",
        plan.hang_at,
        plan.hang.as_secs_f64(),
        plan.kill_at
    )?;
    losses(outcome, out)?;
    writeln!(out)?;
    for view in &outcome.views {
        writeln!(out, "  {:<9} {}", view.acks.name(), meaning(view))?;
    }
    writeln!(out)?;
    speeds(outcome, out)?;
    writeln!(out)?;
    predictions(outcome, out)
}

fn losses(outcome: &Outcome, out: &mut impl Write) -> io::Result<()> {
    let row = |cells: [&str; 7], out: &mut dyn Write| {
        let [name, sent, acked, stored, lost, doubled, stopped] = cells;
        writeln!(
            out,
            "  {name:<9}{sent:>6}{acked:>14}{stored:>8}{lost:>6}{doubled:>9}{stopped:>17}"
        )
    };
    row(["", "sent", "acknowledged", "stored", "lost", "doubled", "writing stopped"], out)?;
    for View { acks, round } in &outcome.views {
        let (from, to) = round.gap();
        let number = |number: u64| number.to_string();
        let cells = [
            acks.name(),
            &number(outcome.plan.records),
            &number(round.acknowledged.len() as u64),
            &number(round.stored),
            &number(round.lost.len() as u64),
            &number(round.doubled),
            &seconds(to - from),
        ];
        row(cells, out)?;
    }
    Ok(())
}

fn speeds(outcome: &Outcome, out: &mut impl Write) -> io::Result<()> {
    let row = |[name, one_by_one, p99, batches]: [&str; 4], out: &mut dyn Write| {
        writeln!(out, "  {name:<33}{one_by_one:>10}{p99:>11}{batches:>15}")
    };
    row(["At full speed, before the kill:", "one by one", "p99", "in batches"], out)?;
    for Speed { acks, one_by_one, in_batches } in &outcome.speeds {
        let a_second = |rate: &Rate| format!("{}/s", thousands(rate.records_per_s()));
        let p99 = format!("{:.1} ms", one_by_one.p99_ms());
        row([acks.name(), &a_second(one_by_one), &p99, &a_second(in_batches)], out)?;
    }
    Ok(())
}

fn meaning(view: &View) -> String {
    let lost = view.round.lost.len();
    match (view.acks, lost) {
        (Acks::None, 0) => {
            "nothing is lost this time. The producer would not have known".to_owned()
        }
        (Acks::None, _) => {
            format!("{lost} are gone. The producer asks nobody, and knows of nothing")
        }
        (Acks::Leader, 0) => "nothing is lost this time. The seminar recommended this".to_owned(),
        (Acks::Leader, _) => {
            format!("{lost} are gone that only the leader had. The seminar recommended this")
        }
        (Acks::All, 0) => {
            "nothing is lost: writing waits for the followers. Kafka's default since 3.0".to_owned()
        }
        (Acks::All, _) => {
            format!("{lost} are gone that the followers should have had. That must not be")
        }
    }
}

fn predictions(outcome: &Outcome, out: &mut impl Write) -> io::Result<()> {
    let row = |what: &str, seen: &str, said: &str, out: &mut dyn Write| {
        writeln!(out, "{}", format!("  {what:<62}{seen:>5}   {said}").trim_end())
    };
    row("", "seen", "you said", out)?;
    let answers = &outcome.answers;
    let asked = [
        (
            "0 to 13 written, fetched from 12 and 9: the last to be read",
            "P3.1",
            answers.last_readable,
        ),
        (
            "two brokers are down, acks=all is answered: how many have it",
            "P3.3",
            answers.machines as i64,
        ),
    ];
    for (what, question, seen) in asked {
        // Whoever has not predicted it yet is not told it.
        match outcome.said.iter().find(|(id, _)| id == question) {
            Some((_, said)) => row(what, &seen.to_string(), &format!("{question}: {said}"), out)?,
            None => row(what, "?", &format!("{question}: say first"), out)?,
        }
    }
    Ok(())
}

pub fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}
