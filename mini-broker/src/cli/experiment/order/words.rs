//! The outcome as text: three readers' views side by side, a table, and one user's story.

use std::io::{self, Write};

use super::{ORDERS, Outcome, USERS, View};
use crate::labs::partitions::{Seen, overtaken, overtaken_by_key};

/// So many records of each view are shown.
const SHOWN: usize = 12;
/// So many views stand side by side.
const BESIDE: usize = 3;
const WIDTH: usize = 24;

pub fn write(outcome: &Outcome, banner: &str, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{ORDERS} orders of {USERS} users, the user as the key (seed {})", outcome.seed)?;
    writeln!(out, "{banner}\n")?;
    writeln!(
        out,
        "What a reader gets first: 0:1 is partition 0, offset 1; #3 is the third order of all,"
    )?;
    writeln!(out, "user-6/2 that user's second.\n")?;
    beside(&outcome.views[..BESIDE.min(outcome.views.len())], out)?;
    writeln!(out)?;
    table(outcome, out)?;
    if let Some(story) = outcome.views.last().and_then(story) {
        writeln!(out, "\n{story}")?;
    }
    Ok(())
}

fn beside(views: &[View], out: &mut impl Write) -> io::Result<()> {
    let line = |cells: Vec<String>, out: &mut dyn Write| {
        let cells: String = cells.iter().map(|cell| format!("{cell:<WIDTH$}  ")).collect();
        writeln!(out, "  {}", cells.trim_end())
    };
    line(views.iter().map(|view| view.title.to_owned()).collect(), out)?;
    line(views.iter().map(|_| "─".repeat(WIDTH)).collect(), out)?;
    for n in 0..SHOWN {
        line(views.iter().map(|view| cell(&view.seen, n)).collect(), out)?;
    }
    Ok(())
}

fn cell(view: &[Seen], n: usize) -> String {
    let Some(seen) = view.get(n) else { return String::new() };
    let place = format!("{}:{}", seen.partition, seen.offset);
    let number = format!("#{}", seen.number);
    format!("{place:<5} {number:<5} {}/{}", seen.key, of_user(view, seen))
}

/// Which of its user's orders this is, counted from 1 as they were sent.
fn of_user(view: &[Seen], one: &Seen) -> usize {
    view.iter().filter(|seen| seen.key == one.key && seen.number <= one.number).count()
}

fn table(outcome: &Outcome, out: &mut impl Write) -> io::Result<()> {
    let row = |cells: [&str; 4], out: &mut dyn Write| {
        let [what, overtaken, users, said] = cells;
        let line = format!("  {what:<32}{overtaken:>16}{users:>21}   {said}");
        writeln!(out, "{}", line.trim_end())
    };
    row(["", "orders that were", "users who overtook", "you"], out)?;
    row(["", "overtaken", "themselves", "said"], out)?;
    for view in &outcome.views {
        let (count, users) = (overtaken(&view.seen), overtaken_by_key(&view.seen).len());
        let (users, said) = beside_said(outcome, view.asked, users);
        row([view.title, &count.to_string(), &users, &said], out)?;
    }
    writeln!(out)?;
    row(["", "", "users who move", ""], out)?;
    for (n, (before, after, users)) in outcome.moved.iter().enumerate() {
        let asked = (n + 1 == outcome.moved.len()).then_some("P2.3");
        let (users, said) = beside_said(outcome, asked, *users);
        row([&format!("from {before} partitions to {after}"), "", &users, &said], out)?;
    }
    Ok(())
}

/// A number, and what was predicted. Whoever has not predicted it yet is not told it.
fn beside_said(outcome: &Outcome, asked: Option<&str>, number: usize) -> (String, String) {
    let Some(question) = asked else { return (number.to_string(), String::new()) };
    match outcome.said(question) {
        Some(said) => (number.to_string(), format!("{question}: {said}")),
        None => ("?".to_owned(), format!("{question}: say first")),
    }
}

/// Of all orders that were overtaken by a later one of the same user, the one that was by the most.
pub fn overtaking(view: &[Seen]) -> Option<(&Seen, &Seen)> {
    let pairs = view.iter().enumerate().filter_map(|(n, late)| {
        let early = view[..n].iter().find(|b| b.key == late.key && b.number > late.number)?;
        Some((early, late))
    });
    pairs.max_by_key(|(early, late)| early.number - late.number)
}

fn story(view: &View) -> Option<String> {
    let (early, late) = overtaking(&view.seen)?;
    let order = |seen: &Seen| {
        let Seen { number, partition, offset, .. } = seen;
        let n = of_user(&view.seen, seen);
        format!("order {n} (#{number}, partition {partition}, offset {offset})")
    };
    let (user, early, late) = (&late.key, order(early), order(late));
    Some(format!("{user} overtook itself: {early}\nwas read before {late}."))
}
