//! The scene as a screen of text: members downwards, partitions to the right, and below them two
//! curves and what has happened last. It fits 80 columns and 24 lines.

use std::time::Duration;

use super::group::Owner;
use super::scene::{Sample, Scene};
use super::{MEMBER_RATE, PARTITION_RATE};
use crate::cli::live::{BARS, Line, Weight};
use crate::cli::terminal::thousands;

pub const WIDTH: usize = 79;
const CURVE: usize = 56;
const HEIGHT: usize = 24;
const RATE_HEIGHT: usize = 3;
const LAG_HEIGHT: usize = 2;
/// A curve has a point for so many samples: a second.
pub const A_SECOND: usize = 5;

fn line(text: impl Into<String>, weight: Weight) -> Line {
    let text: String = text.into();
    Line { text: text.trim_end().chars().take(WIDTH).collect(), weight }
}

/// What the keys do, and which member they do it to; without, it is the story that does something.
pub struct Hand {
    pub chosen: usize,
    pub keys: &'static str,
}

pub fn frame(scene: &Scene, now: Duration, hand: Option<&Hand>) -> Vec<Line> {
    let group = &scene.shipping;
    let title = format!(
        "orders: {} partitions, {PARTITION_RATE} records a second each; a member can do {MEMBER_RATE}",
        group.partitions
    );
    let mut lines = vec![line(format!("{title:<70}{:>7.1} s", now.as_secs_f64()), Weight::Bold)];
    let columns: String =
        (0..group.partitions).map(|partition| format!("{partition:<11}")).collect();
    lines.push(line(format!("{:<23}{columns}{:>12}", "group shipping", "records/s"), Weight::Dim));
    for (number, member) in group.members.iter().enumerate() {
        let state = group.state(member);
        let cells: String = (0..group.partitions)
            .map(|partition| match group.owner(partition) {
                Owner::Reads(owner) if owner == number => "● reads    ",
                Owner::Silent(owner) if owner == number => "○ nobody   ",
                _ => "·          ",
            })
            .collect();
        let rate = scene.rate_now(|sample| sample.done_by.get(number).copied().unwrap_or(0));
        let text =
            format!(" {} {:<4} {state:<15}{cells}{:>12}", number + 1, member.name, thousands(rate));
        let weight = match hand {
            Some(hand) if hand.chosen == number => Weight::Chosen,
            _ if group.is_in(member) || state == "joins" => Weight::Plain,
            _ => Weight::Dim,
        };
        lines.push(line(text, weight));
    }
    let lags: String =
        scene.lags.iter().map(|lag| format!("{:<11}", thousands(*lag as u64))).collect();
    lines.push(line(format!("{:<23}{lags}", "lag"), Weight::Plain));
    lines.push(line("", Weight::Plain));
    // Four members can do a fifth more than comes.
    let most = group.partitions as u64 * MEMBER_RATE;
    let done = |at| scene.rate(at, |sample| sample.done);
    lines.extend(curve("records/s", scene, RATE_HEIGHT, most, done));
    let most = (0..scene.samples.len()).map(|at| scene.lag(at)).max().unwrap_or(0);
    lines.extend(curve("lag", scene, LAG_HEIGHT, most.max(1_000), |at| scene.lag(at)));
    if !scene.billing.members.is_empty() {
        let (done, lag) = (scene.billing.tally.done, scene.billing_lag);
        let rate = scene.rate_now(|sample: &Sample| sample.billing_done);
        let text = format!(
            "group billing  {} done, from the first record on; lag {}; {}/s",
            thousands(done),
            thousands(lag),
            thousands(rate)
        );
        lines.push(line(text, Weight::Plain));
    }
    lines.push(line("", Weight::Plain));
    // As many as there is room for.
    let keys = if hand.is_some() { 2 } else { 0 };
    let room = HEIGHT.saturating_sub(lines.len() + keys);
    let begin = scene.events.len().saturating_sub(room);
    for (at, event) in &scene.events[begin..] {
        lines.push(line(told(*at, event), Weight::Plain));
    }
    if let Some(hand) = hand {
        lines.push(line("", Weight::Plain));
        lines.push(line(hand.keys, Weight::Dim));
    }
    lines
}

/// An event on a line of its own.
pub fn told(at: Duration, event: &str) -> String {
    format!("{:>5.1} s  {event}", at.as_secs_f64())
}

/// The last seconds, one a column, and the newest value as a number.
fn curve(
    name: &str,
    scene: &Scene,
    height: usize,
    most: u64,
    value: impl Fn(usize) -> u64,
) -> Vec<Line> {
    let newest_first = (0..scene.samples.len()).rev().step_by(A_SECOND).take(CURVE);
    let mut values: Vec<u64> = newest_first.map(value).collect();
    values.reverse();
    let eighths = |value: &u64| {
        let all = (height * BARS.len()) as f64;
        ((*value as f64 / most as f64 * all).round() as usize).max(1)
    };
    let row = |row: usize| {
        let below = (height - 1 - row) * BARS.len();
        let bar = |value: &u64| match eighths(value).saturating_sub(below) {
            0 => ' ',
            bar => BARS[bar.min(BARS.len()) - 1],
        };
        let bars: String = values.iter().map(bar).collect();
        let (name, last) = match row + 1 == height {
            true => (name, values.last().map(|last| thousands(*last)).unwrap_or_default()),
            false => ("", String::new()),
        };
        line(format!("{name:<10}{bars:<CURVE$} {last:>10}"), Weight::Plain)
    };
    (0..height).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::super::scene::tests::scene;
    use super::*;

    fn text(lines: &[Line]) -> String {
        lines.iter().map(|line| format!("{}\n", line.text)).collect()
    }

    #[test]
    fn members_are_rows_and_partitions_columns() {
        let mut scene = scene();
        let lines = frame(&scene, Duration::from_secs(15), None);
        let expected = "\
orders: 2 partitions, 250 records a second each; a member can do 300     15.0 s
group shipping         0          1             records/s
 1 ann  reads          ● reads    ● reads             278
 2 bob  dead           ·          ·                     0
lag                    200        950

          ▄▄
          ██▃
records/s ███                                                             278
            ▅
lag       ▁▁█                                                             837
group billing  1,000 done, from the first record on; lag 5,625; 250/s

  0.0 s  ann starts
  0.5 s  bob starts
  0.9 s  generation 1: ann 0, bob 1
 10.0 s  kill -9 bob
 13.0 s  generation 2: ann 0 1
 14.0 s  billing starts
";
        assert_eq!(text(&lines), expected);
        // Nine members, and whatever comes: it still fits.
        for number in 2..9 {
            scene.act(Duration::from_secs(15), super::super::story::Deed::Start(number));
        }
        let hand = Hand { chosen: 3, keys: "a add" };
        let lines = frame(&scene, Duration::from_secs(15), Some(&hand));
        assert!(lines.len() <= 24, "{}", text(&lines));
        assert_eq!(lines.iter().filter(|line| line.weight == Weight::Chosen).count(), 1);
    }
}
