//! What Kafka's own assignors and a real coordinator answered. See parity/README.md.

use std::collections::BTreeMap;

use consumer_groups::Plan;

use super::stage::transcript;

/// The stories that were played to a real coordinator.
#[derive(Clone, Copy, Debug)]
pub enum Stories {
    Rounds,
    Static,
    Delay,
    Full,
    Deaths,
    Commits,
}

/// Plays a file's inputs again, and compares with what Kafka answered: the first line that is not the same, and the
/// story it is in.
pub fn play(stories: Stories) -> Result<(), String> {
    let recorded = match stories {
        Stories::Rounds => include_str!("../parity/rounds.txt"),
        Stories::Static => include_str!("../parity/static.txt"),
        Stories::Delay => include_str!("../parity/delay.txt"),
        Stories::Full => include_str!("../parity/full.txt"),
        Stories::Deaths => include_str!("../parity/deaths.txt"),
        Stories::Commits => include_str!("../parity/commits.txt"),
    };
    let inputs: Vec<&str> = recorded.lines().filter(|line| !line.starts_with("  ")).collect();
    let ours = transcript(&inputs.join("\n"));
    let (mut story, mut input) = ("", "");
    let mut ours = ours.lines();
    for kafkas in recorded.trim_end().lines() {
        let ours = ours.next().unwrap_or("(nothing)");
        if kafkas != ours {
            let at = format!("{stories:?}, {story}, after `{input}`");
            return Err(format!("{at}\n  expected: {kafkas}\n  got:      {ours}"));
        }
        match kafkas.strip_prefix("# ") {
            Some(name) => story = name,
            None if !kafkas.starts_with(' ') => input = kafkas,
            None => {}
        }
    }
    Ok(())
}

/// A group's wishes, what its members have, and what Kafka said.
#[derive(Clone, Debug, Default)]
pub struct Case {
    pub partitions: BTreeMap<String, u32>,
    pub subscribed: BTreeMap<String, Vec<String>>,
    pub owned: Plan,
    /// `range`, `roundrobin` or `sticky`, and the rest of the line.
    pub answers: BTreeMap<String, String>,
}

pub fn plans() -> Vec<Case> {
    cases(include_str!("../parity/plans.txt"))
}

pub fn stickies() -> Vec<Case> {
    cases(include_str!("../parity/sticky.txt"))
}

fn cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines() {
        let (word, rest) = line.split_once(' ').expect("a word and the rest");
        if word == "topics" {
            let topics =
                rest.split(' ').map(|topic| topic.split_once('=').expect("topic=partitions"));
            let partitions =
                topics.map(|(topic, count)| (topic.to_owned(), count.parse().expect("a number")));
            cases.push(Case { partitions: partitions.collect(), ..Case::default() });
            continue;
        }
        let case = cases.last_mut().expect("topics come first");
        if ["range", "roundrobin", "sticky"].contains(&word) {
            case.answers.insert(word.to_owned(), rest.to_owned());
            continue;
        }
        let (topics, had) = rest.split_once(" had ").unwrap_or((rest, ""));
        let topics = topics.split(',').filter(|topic| !topic.is_empty()).map(str::to_owned);
        case.subscribed.insert(word.to_owned(), topics.collect());
        let had = had.split(',').filter(|one| !one.is_empty());
        let had = had.map(|one| (one[..1].to_owned(), one[1..].parse().expect("a number")));
        case.owned.insert(word.to_owned(), had.collect());
    }
    cases
}

/// `ann=a0,a1 bob=`
pub fn shown(plan: &Plan) -> String {
    let member = |(member, theirs): (&String, &Vec<(String, u32)>)| {
        let mut theirs: Vec<String> =
            theirs.iter().map(|(topic, partition)| format!("{topic}{partition}")).collect();
        theirs.sort();
        format!("{member}={}", theirs.join(","))
    };
    plan.iter().map(member).collect::<Vec<_>>().join(" ")
}
