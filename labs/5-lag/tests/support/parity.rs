//! What Kafka's tool and Burrow said. See parity/README.md.

use lag::{Owner, Row, Status, Window};

/// Commits, what was seen of the log's end, and Burrow's verdict on them.
#[derive(Clone, Debug)]
pub struct Verdict {
    pub line: &'static str,
    pub now_ms: u64,
    pub ends: Vec<u64>,
    pub window: Window,
    pub status: Status,
}

pub fn verdicts() -> Vec<Verdict> {
    include_str!("../parity/verdicts.txt").lines().map(verdict).collect()
}

/// `now=1002000 ends=97,97 commits=1000000:100:3,1000500:99:- OK`: a commit's time, its offset and its lag.
fn verdict(line: &'static str) -> Verdict {
    let words: Vec<&str> = line.split(' ').collect();
    let value = |n: usize, name: &str| words[n].strip_prefix(name).expect("as the README says");
    let number = |text: &str| text.parse::<u64>().expect("a number");
    let commits: Vec<&str> = value(2, "commits=").split(',').collect();
    let mut window = Window::new(commits.len(), 0);
    for commit in commits {
        let parts: Vec<&str> = commit.split(':').collect();
        let offset = number(parts[1]);
        let lag = (parts[2] != "-").then(|| number(parts[2]));
        window.committed(number(parts[0]), offset, lag.map(|lag| offset + lag));
    }
    let status = Status::ALL.into_iter().find(|status| status.name() == words[3]);
    Verdict {
        line,
        now_ms: number(value(0, "now=")),
        ends: value(1, "ends=").split(',').map(number).collect(),
        window,
        status: status.expect("a verdict"),
    }
}

/// Rows, and the table that Kafka's tool made of them.
pub struct Described {
    pub title: &'static str,
    pub verbose: bool,
    pub rows: Vec<Row>,
    pub table: String,
}

pub fn described() -> Vec<Described> {
    let parts = include_str!("../parity/describe.txt").split("# ").skip(1);
    parts.map(one_described).collect()
}

/// A title; a line `row …` for each row; then the table.
fn one_described(part: &'static str) -> Described {
    let (title, rest) = part.split_once('\n').expect("a title");
    let (rows, tables): (Vec<&str>, Vec<&str>) =
        rest.lines().partition(|line| line.starts_with("row "));
    let table = tables.iter().map(|line| line.to_string() + "\n").collect::<String>();
    let table = table.trim_end_matches('\n').to_owned() + "\n";
    Described {
        title,
        verbose: title.ends_with("--verbose"),
        rows: rows.into_iter().map(row).collect(),
        table,
    }
}

/// `row billing orders 0 epoch=0 committed=5 end=10 owner=ID,HOST,CLIENT`; what is not known is `-`.
fn row(line: &str) -> Row {
    let words: Vec<&str> = line.split(' ').collect();
    let value = |n: usize| words[n].split_once('=').expect("name=value").1;
    let known = |n: usize| Some(value(n)).filter(|value| *value != "-");
    Row {
        group: words[1].to_owned(),
        topic: words[2].to_owned(),
        partition: words[3].parse().expect("a number"),
        leader_epoch: known(4).map(|epoch| epoch.parse().expect("a number")),
        committed: known(5).map(|offset| offset.parse().expect("a number")),
        log_end: known(6).map(|offset| offset.parse().expect("a number")),
        owner: known(7).map(|owner| {
            let mut parts = owner.split(',').map(str::to_owned);
            let mut part = || parts.next().expect("an id, a host and a client");
            Owner { member_id: part(), host: part(), client_id: part() }
        }),
    }
}
