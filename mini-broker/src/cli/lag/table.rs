//! Groups as a table for people.

use crate::cli::live::{BARS, Line, Weight};
use crate::cli::terminal::thousands;
use crate::labs::lag::{Column, GroupStatus, MISSING, Place, Status, cell, table};
use crate::labs::told;
use crate::monitor::view::{Drain, GroupView, PartitionView, Said};

/// What stands where a step of the lab is not written yet.
pub const OPEN: &str = "?";

pub fn lines(groups: &[GroupView]) -> Vec<Line> {
    let mut lines = Vec::new();
    for group in groups {
        if !lines.is_empty() {
            lines.push(line("", Weight::Plain));
        }
        lines.push(line(title(group), Weight::Bold));
        let text = table(COLUMNS, &group.partitions.iter().map(cells).collect::<Vec<_>>());
        for (number, row) in text.lines().enumerate() {
            let weight = match number.checked_sub(1).and_then(|at| group.partitions.get(at)) {
                None => Weight::Dim,
                Some(view) if view.status.as_ref().is_ok_and(|it| *it > Status::Ok) => Weight::Bold,
                Some(_) => Weight::Plain,
            };
            lines.push(line(row, weight));
        }
        let missing = unfinished(group).unwrap_or_default();
        lines.extend(missing.lines().map(|sentence| line(sentence, Weight::Dim)));
    }
    lines
}

pub fn nothing(sentence: &str) -> Vec<Line> {
    vec![line(sentence, Weight::Dim)]
}

fn line(text: impl Into<String>, weight: Weight) -> Line {
    let text: String = text.into();
    Line { text: text.trim_end().to_owned(), weight }
}

fn title(group: &GroupView) -> String {
    let members = match group.members {
        0 => "no members".to_owned(),
        1 => "1 member".to_owned(),
        many => format!("{many} members"),
    };
    let (status, lag) = match &group.status {
        Ok(GroupStatus { status, total_lag, .. }) => (status.name(), thousands(*total_lag)),
        Err(_) => (OPEN, OPEN.to_owned()),
    };
    let behind = match &group.behind_ms {
        Ok(Some(0)) => String::new(),
        Ok(Some(ms)) => format!(", {} late", duration(*ms)),
        Ok(None) => ", nobody knows how late".to_owned(),
        Err(_) => format!(", {OPEN} late"),
    };
    format!("group {}: {status}, {members}, lag {lag}{behind}", group.name)
}

/// What matters most fits 80 columns.
const COLUMNS: &[Column] = &[
    Column::Grows("TOPIC", 8),
    Column::Grows("PARTITION", 9),
    Column::Grows("LAG", 6),
    Column::Grows("STATUS", 6),
    Column::Grows("LATE", 8),
    Column::Grows("ALL READ IN", 11),
    Column::Grows("COME/S", 6),
    Column::Grows("READ/S", 6),
    Column::Grows("LAST LOOKS", 10),
    Column::Grows("COMMITTED", 9),
    Column::Grows("LOG-END", 7),
    Column::Grows("READ BY", 7),
    Column::Fixed("", 0),
];

fn cells(view: &PartitionView) -> Vec<String> {
    let rate = |rate: Option<f64>| rate.map_or(MISSING.to_owned(), |rate| format!("{rate:.1}"));
    let (come, go) = match &view.rates {
        Ok((come, go)) => (rate(*come), rate(*go)),
        Err(_) => (OPEN.to_owned(), OPEN.to_owned()),
    };
    vec![
        view.topic.clone(),
        view.partition.to_string(),
        said(&view.lag, |lag| cell(*lag)),
        said(&view.status, |status| match (view.log, view.committed) {
            (Some(_), Some(_)) => status.name().to_owned(),
            _ => MISSING.to_owned(),
        }),
        said(&view.behind_ms, |ms| ms.map_or(MISSING.to_owned(), duration)),
        said(&view.drain, done_in),
        come,
        go,
        bars(&view.curve),
        cell(view.committed),
        cell(view.log.map(|(_, end)| end)),
        cell(view.owner.as_ref().map(|owner| &owner.client_id)),
        said(&view.place, remark),
    ]
}

/// What the organ says, as text.
pub fn said<T>(said: &Said<T>, text: impl Fn(&T) -> String) -> String {
    said.as_ref().map_or(OPEN.to_owned(), text)
}

/// When all will be read.
pub fn done_in(drain: &Drain) -> String {
    match drain {
        Drain::In { ms } => duration(*ms),
        Drain::Never => "never".to_owned(),
        Drain::Unknown => MISSING.to_owned(),
    }
}

/// What the numbers do not say.
pub fn remark(place: &Place) -> String {
    match place {
        Place::Overtaken { lost } => format!("{} deleted unread", thousands(*lost)),
        Place::Beyond { by } => format!("{} past the end", thousands(*by)),
        Place::Nowhere => "nothing committed".to_owned(),
        Place::Within => String::new(),
    }
}

/// The first step that is missing, and where.
pub fn unfinished(group: &GroupView) -> Option<String> {
    let of = |view: &PartitionView| {
        let lag = view.lag.as_ref().err().or(view.place.as_ref().err());
        let status = view.status.as_ref().err();
        let time = view.behind_ms.as_ref().err();
        let rates = view.rates.as_ref().err().or(view.drain.as_ref().err());
        lag.or(status).or(time).or(rates).cloned()
    };
    let broken = group.partitions.iter().find_map(of).or(group.status.as_ref().err().cloned());
    broken.map(|broken| told("lag", &broken))
}

/// A bar for each look; the greatest fills its cell.
fn bars(curve: &[u64]) -> String {
    let most = curve.iter().copied().max().unwrap_or(0).max(1);
    let bar = |lag: &u64| match lag {
        0 => ' ',
        lag => BARS[((lag * 8).div_ceil(most) as usize).clamp(1, 8) - 1],
    };
    curve.iter().map(bar).collect()
}

/// `350 ms`, `12 s`, `3 min 20 s`, `6 h 2 min`, `3 d 4 h`
pub fn duration(ms: u64) -> String {
    let s = ms / 1000;
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{s} s"),
        60_000..3_600_000 => format!("{} min {} s", s / 60, s % 60),
        3_600_000..86_400_000 => format!("{} h {} min", s / 3600, s / 60 % 60),
        _ => format!("{} d {} h", s / 86_400, s / 3600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::{bars, duration};

    #[test]
    fn durations_are_short() {
        assert_eq!(duration(0), "0 ms");
        assert_eq!(duration(999), "999 ms");
        assert_eq!(duration(59_999), "59 s");
        assert_eq!(duration(200_000), "3 min 20 s");
        assert_eq!(duration(21_720_000), "6 h 2 min");
        assert_eq!(duration(273_600_000), "3 d 4 h");
    }

    #[test]
    fn bars_grow_with_the_lag() {
        assert_eq!(bars(&[0, 1, 40, 80]), " ▁▄█");
        assert_eq!(bars(&[0, 0]), "  ");
        assert_eq!(bars(&[u64::MAX / 16, u64::MAX / 8]), "▄█");
    }
}
