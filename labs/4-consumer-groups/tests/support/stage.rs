//! A transcript: an input line, its outputs indented below. The grammar that all labs share is in labs/README.md;
//! the inputs of this lab are:
//!
//! ```text
//! topic NAME PARTITIONS       a topic, for whoever makes a plan
//! wants NAME TOPIC…           a member of no group, for the plans below; without a topic it is gone
//! range · roundrobin · sticky who would read what; `sticky` begins with what it said the last time
//! table                       what comes of each event in each state
//!
//! settings delay=MS max=N     group.initial.rebalance.delay.ms (0 here), group.max.size, for the groups that follow;
//!                             pace=MS: each input is so much later than the one before
//! group NAME                  another group, and other clients; without a name always a fresh one
//! join NAME TOPIC…            a client joins, and joins again if it is given an id first. It wants the topics that it
//!                             wanted before, unless said else; so with `offers PROTOCOL…` (range), session=MS and
//!                             rebalance=MS (6000). `static` gives it a group.instance.id. `fresh`: it was started anew,
//!                             and knows no id. version=3 is a client from before error 79, `connect` one of another type
//! ask NAME …                  the same, but with an id it does not join again
//! sync NAME                   it asks for its part of the plan. Who was told of the members makes the plan; `without
//!                             OTHER` forgets one, `with OTHER` has a part for one alone
//! heartbeat NAME · leave NAME · commit NAME
//! remove NAME                 an administrator removes a static member
//! crashes                     what is lost or done twice when a consumer dies (crash.rs)
//! commit nobody               somebody without a group's membership commits
//! wait                        time passes
//! gone NAME                   the connections on which it waits are gone
//! hold · saved · failed       saving takes a while from now on; it is done, and no more held; it has failed
//! restart                     the coordinator starts again, with what was saved
//! describe                    what DescribeGroups would show
//! ```
//!
//! `sync`, `heartbeat`, `leave` and `commit` name the client's own generation and id; `generation=N` and `self=N` (its
//! n-th id) name others. `@MS` before an input sets the clock. Timers that are due by then come first.

use std::collections::BTreeMap;

use consumer_groups::{Act, Config, Error, Event, Plan, State, act, range, round_robin, sticky};
pub use grammar::Line;

use super::crash::{HEAD, crashes};
use super::play::{Play, listed, or_nothing};
use crate::grader::during;

#[path = "../../../transcript.rs"]
mod grammar;

/// Runs a script and returns it with the outputs in place.
pub fn transcript(script: &str) -> String {
    let mut stage = Stage::default();
    let text = grammar::run(script, |line| {
        let said = format!("{} {}", line.verb, line.words.join(" "));
        during(|| format!("the transcript's `{}`", said.trim()));
        stage.input(line)
    });
    during(String::new);
    text
}

#[derive(Default)]
struct Stage {
    partitions: BTreeMap<String, u32>,
    /// Who wants what, for plans without a group.
    wants: BTreeMap<String, Vec<String>>,
    owned: Plan,
    config: Option<Config>,
    pace_ms: u64,
    groups: BTreeMap<String, Play>,
    current: String,
}

impl Stage {
    fn input(&mut self, line: &Line) -> Result<Vec<String>, Error> {
        let words: Vec<String> = line.words.iter().map(|word| (*word).to_owned()).collect();
        match line.verb {
            "topic" => drop(self.partitions.insert(words[0].clone(), line.number(1) as u32)),
            "wants" if words.len() == 1 => drop(self.wants.remove(&words[0])),
            "wants" => drop(self.wants.insert(words[0].clone(), words[1..].to_vec())),
            "range" => return Ok(shown(&range(&self.wants, &self.partitions))),
            "roundrobin" => return Ok(shown(&round_robin(&self.wants, &self.partitions))),
            "sticky" => {
                self.owned = sticky(&self.wants, &self.partitions, &self.owned);
                return Ok(shown(&self.owned));
            }
            "table" => return Ok(table()),
            "crashes" => {
                let rows = crashes().into_iter().map(|row| row.to_string());
                return Ok([HEAD.to_owned()].into_iter().chain(rows).collect());
            }
            "settings" => self.settings(line),
            "group" => self.group(words.first().map_or("", String::as_str)),
            _ => {
                if self.groups.is_empty() {
                    self.group("");
                }
                let play = self.groups.get_mut(&self.current).expect("there is one");
                let mut lines = play.time(line.at_ms.unwrap_or(play.clock_ms + self.pace_ms));
                lines.extend(play.input(line, &self.partitions)?);
                lines.sort_by_key(|line| line.replace(':', " "));
                return Ok(lines);
            }
        }
        Ok(Vec::new())
    }

    fn settings(&mut self, line: &Line) {
        let mut config = Config {
            min_session_timeout_ms: 500,
            initial_rebalance_delay_ms: line.named("delay").unwrap_or(0),
            ..Config::default()
        };
        if let Some(max) = line.named("max") {
            config.max_size = max as usize;
        }
        self.config = Some(config);
        self.pace_ms = line.named("pace").unwrap_or(0);
    }

    fn group(&mut self, name: &str) {
        let none = Config { initial_rebalance_delay_ms: 0, ..Config::default() };
        let config = self.config.clone().unwrap_or(none);
        let fresh = || Play::new(config);
        if name.is_empty() {
            self.groups.remove(name);
        }
        self.groups.entry(name.to_owned()).or_insert_with(fresh);
        self.current = name.to_owned();
    }
}

fn shown(plan: &Plan) -> Vec<String> {
    plan.iter()
        .map(|(member, theirs)| format!("{member} reads {}", or_nothing(&listed(theirs))))
        .collect()
}

/// Events as lines, states as columns. What cannot happen is a dash: in an empty group nobody is a member.
fn table() -> Vec<String> {
    let again = |leader, changed| Event::JoinsAgain { leader, changed };
    let events = [
        ("somebody joins", Event::Joins),
        ("a follower joins again", again(false, false)),
        ("the leader joins again", again(true, false)),
        ("… wanting something else", again(false, true)),
        ("a follower syncs", Event::Syncs { leader: false }),
        ("the leader syncs", Event::Syncs { leader: true }),
        ("a heartbeat", Event::Heartbeat),
        ("a member leaves or dies", Event::Leaves),
    ];
    let states = [
        State::Empty,
        State::PreparingRebalance,
        State::CompletingRebalance,
        State::Stable,
        State::Dead,
    ];
    let cell = |state, event| match act(state, event) {
        Act::Rebalance => "rebalance",
        Act::Wait => "wait",
        Act::Answer => "answer",
        Act::Save => "save",
        Act::Refuse(Error::RebalanceInProgress) => "error 27",
        Act::Refuse(Error::CoordinatorNotAvailable) => "error 15",
        Act::Refuse(_) => "error",
    };
    let mut lines = vec![format!(
        "{:<26}{:<11}{:<11}{:<12}{:<11}Dead",
        "", "Empty", "Preparing…", "Completing…", "Stable"
    )];
    for (name, event) in events {
        let cells = states.map(|state| match (state, event) {
            (State::Empty, event) if event != Event::Joins => "-",
            _ => cell(state, event),
        });
        let [empty, preparing, completing, stable, dead] = cells;
        lines.push(format!(
            "{name:<26}{empty:<11}{preparing:<11}{completing:<12}{stable:<11}{dead}"
        ));
    }
    lines
}
