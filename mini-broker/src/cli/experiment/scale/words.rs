//! The outcome as text: a table, what it says, and what was expected.

use std::io::{self, Write};

use super::group::Measured;
use super::{COUNTS, Outcome, RATE};
use crate::cli::terminal::thousands;

pub fn write(outcome: &Outcome, banner: &str, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "A consumer can do {RATE} records a second. Each group is measured for {} s.",
        outcome.seconds
    )?;
    writeln!(out, "{banner}\n")?;
    table(outcome, out)?;
    writeln!(out)?;
    meaning(outcome, out)?;
    writeln!(out)?;
    said(outcome, out)
}

/// Partitions downwards, consumers to the right.
fn table(outcome: &Outcome, out: &mut impl Write) -> io::Result<()> {
    let row = |first: &str, cells: [String; COUNTS.len()], out: &mut dyn Write| {
        let cells = cells.map(|cell| format!("{cell:<16}")).concat();
        writeln!(out, "{}", format!("  {first:<14}{cells}").trim_end())
    };
    row("records a second", [const { String::new() }; COUNTS.len()], out)?;
    row("", COUNTS.map(|consumers| counted(consumers, "consumer")), out)?;
    for partitions in COUNTS {
        let cell = |consumers| outcome.at(partitions, consumers).map(cell).unwrap_or_default();
        row(&counted(partitions, "partition"), COUNTS.map(cell), out)?;
    }
    Ok(())
}

fn cell(measured: Measured) -> String {
    let records = thousands(measured.records_per_s());
    match measured.idle {
        0 => records,
        idle => format!("{records:<6} {idle} idle"),
    }
}

fn meaning(outcome: &Outcome, out: &mut impl Write) -> io::Result<()> {
    let times = |partitions, consumers| {
        let one = outcome.at(1, 1)?.records_per_s().max(1);
        Some(outcome.at(partitions, consumers)?.records_per_s() as f64 / one as f64)
    };
    let (both, consumers, partitions) = (times(8, 8), times(1, 8), times(8, 1));
    let (Some(both), Some(consumers), Some(partitions)) = (both, consumers, partitions) else {
        return Ok(());
    };
    writeln!(out, "  8 consumers on 8 partitions do {both:.1} times what 1 does on 1.")?;
    writeln!(
        out,
        "  8 consumers for 1 partition do {consumers:.1} times that: a partition has one reader."
    )?;
    writeln!(
        out,
        "  1 consumer for 8 partitions does {partitions:.1} times that: it reads them in turn."
    )
}

fn said(outcome: &Outcome, out: &mut impl Write) -> io::Result<()> {
    let row = |what: &str, seen: &str, said: &str, out: &mut dyn Write| {
        writeln!(out, "{}", format!("  {what:<50}{seen:>8}   {said}").trim_end())
    };
    row("", "seen", "you said", out)?;
    for answer in &outcome.answers {
        let (partitions, consumers) = (answer.partitions, answer.consumers);
        let what = format!(
            "{} on {}, records a second",
            counted(consumers, "consumer"),
            counted(partitions, "partition")
        );
        let seen = outcome.at(partitions, consumers).map_or(0, |seen| seen.records_per_s());
        let said = match answer.said.is_empty() {
            true => "nothing",
            false => &answer.said,
        };
        row(&what, &thousands(seen), &format!("{}: {said}", answer.id), out)?;
    }
    Ok(())
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::super::tests::outcome;

    #[test]
    fn the_table_has_a_cell_for_each_pair() {
        let mut out = Vec::new();
        super::write(&outcome(), "organs: all ours", &mut out).unwrap();
        let expected = "\
A consumer can do 300 records a second. Each group is measured for 2 s.
organs: all ours

  records a second
                1 consumer      2 consumers     4 consumers     8 consumers
  1 partition   300             300    1 idle   300    3 idle   300    7 idle
  2 partitions  300             600             600    2 idle   600    6 idle
  4 partitions  300             600             1,200           1,200  4 idle
  8 partitions  300             600             1,200           2,400

  8 consumers on 8 partitions do 8.0 times what 1 does on 1.
  8 consumers for 1 partition do 1.0 times that: a partition has one reader.
  1 consumer for 8 partitions does 1.0 times that: it reads them in turn.

                                                        seen   you said
  8 consumers on 4 partitions, records a second        1,200   S1: 2400
  4 consumers on 8 partitions, records a second        1,200   S2: nothing
";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
