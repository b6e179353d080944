//! The outcome as text: a row for each act, what was lost and doubled, and what was predicted.

use std::io::{self, Write};

use super::group::{NAMES, Owner};
use super::scene::Scene;
use super::story::Deed;
use super::{BILLING, MEMBER_RATE, Outcome, PARTITION_RATE, PARTITIONS, SHIPPING};
use crate::cli::terminal::thousands;

pub fn write(outcome: &Outcome, banner: &str, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{PARTITIONS} partitions, {PARTITION_RATE} records a second each; a member of group {SHIPPING} can do {MEMBER_RATE}"
    )?;
    writeln!(out, "{banner}\n")?;
    acts(&outcome.scene, out)?;
    writeln!(out)?;
    counted(outcome, out)?;
    second(&outcome.scene, out)?;
    predictions(outcome, out)
}

fn acts(scene: &Scene, out: &mut impl Write) -> io::Result<()> {
    let row = |cells: [&str; 8], out: &mut dyn Write| {
        let [at, what, moved, owners, doubled, before, after, lag] = cells;
        let line = format!(
            "{at:>6}  {what:<14}{moved:>7}  {owners:<19}{doubled:>6}{before:>9}{after:>7}{lag:>7}"
        );
        writeln!(out, "{}", line.trim_end())
    };
    row(["", "", "moved", "who reads then", "done", "done/s", "done/s", "lag"], out)?;
    let numbers: String = (0..PARTITIONS).map(|partition| format!("{partition:<5}")).collect();
    row(["at s", "what", "after", &numbers, "twice", "until", "then", "then"], out)?;
    for act in &scene.acts {
        let (before, after) = act.rates();
        let moved = act.moved.map(|(moved, _)| format!("{:.1} s", (moved - act.at).as_secs_f64()));
        let dash = || "–".to_owned();
        let cells = [
            &format!("{:.1}", act.at.as_secs_f64())[..],
            &act.deed.to_string(),
            &moved.unwrap_or_else(dash),
            &owners(&act.owners),
            &(act.doubled_then - act.doubled).to_string(),
            &before.map_or_else(dash, thousands),
            &thousands(after),
            &thousands(act.lag),
        ];
        row(cells, out)?;
    }
    Ok(())
}

/// In the order of the partitions; `–` where nobody reads.
fn owners(owners: &[Owner]) -> String {
    let name = |owner: &Owner| match owner {
        Owner::Reads(member) => NAMES[*member],
        Owner::Silent(_) | Owner::Nobody => "–",
    };
    owners.iter().map(|owner| format!("{:<5}", name(owner))).collect()
}

fn counted(outcome: &Outcome, out: &mut impl Write) -> io::Result<()> {
    let Outcome { scene, committed, lost, .. } = outcome;
    writeln!(
        out,
        "  {SHIPPING} has committed {} records. Lost: {}. Done twice: {}.",
        thousands(*committed),
        thousands(*lost),
        thousands(scene.shipping.tally.doubled)
    )
}

/// Whether the first group has noticed the second.
fn second(scene: &Scene, out: &mut impl Write) -> io::Result<()> {
    let Some(at) = scene.acts.iter().position(|act| act.deed == Deed::Second) else {
        return Ok(());
    };
    let act = &scene.acts[at];
    let done = scene.billing.tally.done;
    let caught_up = scene.samples.iter().find(|sample| {
        // As much as comes in half a second is on its way.
        let on_its_way = PARTITION_RATE * PARTITIONS as u64 / 2;
        sample.billing_done > 0 && sample.billing_lag < on_its_way
    });
    let sentence = match caught_up {
        Some(sample) => format!(
            "had caught up with {} after {:.1} s",
            thousands(sample.billing_done),
            (sample.at - act.at).as_secs_f64()
        ),
        None => format!("had done {}", thousands(done)),
    };
    writeln!(out, "  {BILLING} began with the first record, and {sentence}.")?;
    let before = at.checked_sub(1).map_or(0, |before| scene.acts[before].lag);
    writeln!(
        out,
        "  Meanwhile {SHIPPING} did {} a second ({} came); its lag went from {} to {}.",
        thousands(act.rates().1),
        thousands(PARTITIONS as u64 * PARTITION_RATE),
        thousands(before),
        thousands(act.lag)
    )
}

fn predictions(outcome: &Outcome, out: &mut impl Write) -> io::Result<()> {
    let Some(answers) = &outcome.answers else { return Ok(()) };
    let row = |what: &str, seen: &str, said: &str, out: &mut dyn Write| {
        writeln!(out, "{}", format!("  {what:<53}{seen:>4}   {said}").trim_end())
    };
    writeln!(out)?;
    row("", "seen", "you said", out)?;
    let asked = [
        ("3 topics of 1 partition, 3 consumers: how many read", "P4.1", answers.busy as u64),
        (
            "a death under Kafka's defaults: noticed after, in s",
            "P4.2",
            answers.noticed.as_secs_f64().round() as u64,
        ),
        ("dead after 70 of 100, none committed: done twice", "P4.3", answers.doubled),
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::questions::Answers;
    use super::super::scene::tests::scene;
    use super::*;

    #[test]
    fn each_act_has_a_row() {
        let answers = Answers { busy: 1, noticed: Duration::from_millis(44_930), doubled: 70 };
        let said = [("P4.1", "3"), ("P4.3", "70")];
        let outcome = Outcome {
            scene: scene(),
            committed: 6_000,
            lost: 0,
            answers: Some(answers),
            said: said.map(|(id, answer)| (id.to_owned(), answer.to_owned())).to_vec(),
        };
        let mut out = Vec::new();
        write(&outcome, "organs: all ours", &mut out).unwrap();
        let expected = "\
4 partitions, 250 records a second each; a member of group shipping can do 300
organs: all ours

                        moved  who reads then       done   done/s done/s    lag
  at s  what            after  0    1    2    3     twice    until   then   then
   0.0  ann starts          –  –    –                  0        –      0      0
   0.5  bob starts      0.4 s  ann  bob                0        0    549      0
  10.0  kill -9 bob     3.0 s  ann  ann               10      250     10    750
  14.0  billing starts      –  ann  ann                0        –    600  1,150

  shipping has committed 6,000 records. Lost: 0. Done twice: 10.
  billing began with the first record, and had done 1,000.
  Meanwhile shipping did 600 a second (1,000 came); its lag went from 750 to 1,150.

                                                       seen   you said
  3 topics of 1 partition, 3 consumers: how many read     1   P4.1: 3
  a death under Kafka's defaults: noticed after, in s     ?   P4.2: say first
  dead after 70 of 100, none committed: done twice       70   P4.3: 70
";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
