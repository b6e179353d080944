//! A group and its clients, as a transcript moves them: what each input is for the group, and how its answers read.

use std::collections::BTreeMap;

use consumer_groups::{
    Config, Error, Group, Join, Listed, Metadata, Next, Plan, range, round_robin,
};

use super::stage::Line;

/// A group and its clients.
pub struct Play {
    group: Group,
    clients: BTreeMap<String, Client>,
    pub clock_ms: u64,
    /// Who waits for the answer to a ticket.
    tickets: BTreeMap<u64, Asked>,
    asked: u64,
    /// Generations that are to be saved, if saving takes a while.
    to_save: Vec<(i32, Metadata)>,
    hold: bool,
    saved: Metadata,
}

#[derive(Clone)]
struct Asked {
    name: String,
    /// With this id.
    id: String,
    /// It joins again if it is given one.
    again: Option<Join>,
}

#[derive(Clone, Default)]
struct Client {
    name: String,
    id: String,
    ids: Vec<String>,
    kind: String,
    topics: Vec<String>,
    offers: Vec<String>,
    session_ms: u64,
    rebalance_ms: u64,
    is_static: bool,
    generation: i32,
    protocol: String,
    /// The members and what they want, if it is the leader.
    list: BTreeMap<String, Vec<String>>,
}

impl Play {
    pub fn new(config: Config) -> Self {
        Play {
            group: Group::new(0, config),
            clients: BTreeMap::new(),
            clock_ms: 0,
            tickets: BTreeMap::new(),
            asked: 0,
            to_save: Vec::new(),
            hold: false,
            saved: Metadata::default(),
        }
    }

    /// Time goes on, and every timer on the way is due at its own time.
    pub fn time(&mut self, to_ms: u64) -> Vec<String> {
        let mut lines = Vec::new();
        for ticks in 0.. {
            let Some(at_ms) = self.group.deadline().filter(|at_ms| *at_ms <= to_ms) else { break };
            assert!(
                ticks < 1000,
                "R4.26: the deadline stays at {at_ms}, and a tick changes nothing"
            );
            let next = self.group.tick(at_ms);
            lines.extend(self.told(next));
        }
        self.clock_ms = to_ms;
        lines
    }

    pub fn input(
        &mut self,
        line: &Line,
        topics: &BTreeMap<String, u32>,
    ) -> Result<Vec<String>, Error> {
        let name = line.words.first().copied().unwrap_or_default().to_owned();
        match line.verb {
            "wait" => return Ok(Vec::new()),
            "hold" => self.hold = true,
            "saved" | "failed" => return Ok(self.save_is_over(line.verb == "saved")),
            "restart" => {
                let config = Config { initial_rebalance_delay_ms: 0, ..Config::default() };
                self.group = Group::restore(self.clock_ms, 0, config, self.saved.clone());
                self.tickets.clear();
            }
            "describe" => return Ok(self.describe()),
            "commit" if name == "nobody" => {
                return Ok(vec![self.committed("nobody", "", None, -1)]);
            }
            "join" | "ask" => return Ok(self.join(&name, line)),
            "gone" => {
                let tickets = self.tickets.iter().filter(|(_, asked)| asked.name == name);
                let tickets: Vec<u64> = tickets.map(|(ticket, _)| *ticket).collect();
                let next = tickets.into_iter().flat_map(|ticket| {
                    self.tickets.remove(&ticket);
                    self.group.gone(self.clock_ms, ticket)
                });
                let next = next.collect();
                return Ok(self.told(next));
            }
            _ => return Ok(self.member(&name, line, topics)),
        }
        Ok(Vec::new())
    }

    fn join(&mut self, name: &str, line: &Line) -> Vec<String> {
        let me = self.clients.entry(name.to_owned()).or_insert_with(|| Client {
            name: name.to_owned(),
            offers: vec!["range".to_owned()],
            session_ms: 6000,
            rebalance_ms: 6000,
            generation: -1,
            ..Client::default()
        });
        me.wishes(line);
        let id = line.named("self").map_or(me.id.clone(), |n| me.nth(n));
        let id = if line.words.contains(&"fresh") { String::new() } else { id };
        me.id.clone_from(&id);
        let metadata = me.topics.join(" ").into_bytes();
        let version = line.named("version").unwrap_or(5);
        let join = Join {
            member: id.clone(),
            new_id: format!("{name}/{}", self.asked),
            instance_id: me.instance(),
            client_id: name.to_owned(),
            host: "here".to_owned(),
            protocol_type: me.kind.clone(),
            protocols: me.offers.iter().map(|offer| (offer.clone(), metadata.clone())).collect(),
            session_timeout_ms: me.session_ms,
            rebalance_timeout_ms: me.rebalance_ms,
            member_id_required: version > 3,
        };
        let again = (line.verb == "join").then(|| join.clone());
        self.send_join(Asked { name: name.to_owned(), id, again }, join)
    }

    fn send_join(&mut self, asked: Asked, join: Join) -> Vec<String> {
        let ticket = self.ticket(asked);
        let next = self.group.join(self.clock_ms, ticket, join);
        self.told(next)
    }

    fn ticket(&mut self, asked: Asked) -> u64 {
        self.asked += 1;
        self.tickets.insert(self.asked, asked);
        self.asked
    }

    /// What a member asks, or somebody who says so.
    fn member(&mut self, name: &str, line: &Line, topics: &BTreeMap<String, u32>) -> Vec<String> {
        let me = self.clients[name].clone();
        let generation = line.named("generation").map_or(me.generation, |number| number as i32);
        let id = line.named("self").map_or(me.id.clone(), |n| me.nth(n));
        let id = if line.verb == "remove" { String::new() } else { id };
        let instance = me.instance();
        let caller = (id.as_str(), instance.as_deref());
        let answer = match line.verb {
            "heartbeat" => self.group.heartbeat(self.clock_ms, caller, generation),
            "commit" => {
                let who = self.name(&id, name);
                return vec![self.committed(&who, &id, instance.as_deref(), generation)];
            }
            "sync" => {
                let plan = self.plan(&me, line, topics);
                let ticket =
                    self.ticket(Asked { name: name.to_owned(), id: id.clone(), again: None });
                let next = self.group.sync(self.clock_ms, ticket, caller, generation, plan);
                return self.told(next);
            }
            "leave" | "remove" => match self.group.leave(self.clock_ms, caller) {
                Err(error) => Err(error),
                Ok(next) => {
                    let mut lines = vec![format!("{}: ok", self.name(&id, name))];
                    lines.extend(self.told(next));
                    return lines;
                }
            },
            other => panic!("no such input: {other}"),
        };
        let answer =
            answer.map_or_else(|error| kafkas_name(&error).to_owned(), |()| "ok".to_owned());
        vec![format!("{}: {answer}", self.name(&id, name))]
    }

    fn committed(
        &mut self,
        who: &str,
        id: &str,
        instance: Option<&str>,
        generation: i32,
    ) -> String {
        match self.group.may_commit((id, instance), generation) {
            Ok(()) => {
                self.group.heard(self.clock_ms, id);
                format!("{who}: ok")
            }
            Err(error) => format!("{who}: {}", kafkas_name(&error)),
        }
    }

    /// The plan that a client brings: whoever was told of the members makes one.
    fn plan(
        &self,
        me: &Client,
        line: &Line,
        topics: &BTreeMap<String, u32>,
    ) -> Vec<(String, Vec<u8>)> {
        let made = match me.protocol.as_str() {
            _ if me.list.is_empty() => Plan::new(),
            "roundrobin" => round_robin(&me.list, topics),
            _ => range(&me.list, topics),
        };
        let forgotten = |member: &str| {
            line.words.contains(&"without")
                && member.split('/').next() == line.words.last().copied()
        };
        let made = made.into_iter().filter(|(member, _)| !forgotten(member));
        let mut plan: Vec<_> =
            made.map(|(member, theirs)| (member, listed(&theirs).into_bytes())).collect();
        if line.words.contains(&"with") {
            let other = &self.clients[line.words[2]];
            plan.push((other.id.clone(), b"all".to_vec()));
        }
        plan
    }

    /// What the group wants to have done, as lines. Saving is done at once, unless it is held.
    fn told(&mut self, next: Vec<Next>) -> Vec<String> {
        let mut lines = Vec::new();
        for next in next {
            match next {
                Next::Save { generation } => {
                    self.to_save.push((generation, self.group.metadata()));
                    match self.hold {
                        true => lines.push(format!("save generation {generation}")),
                        false => lines.extend(self.save_is_over(true)),
                    }
                }
                Next::Joined { ticket, member, leader, generation, protocol, members } => {
                    let asked = self.answered(ticket);
                    let me = self.meet(&asked.name, &member);
                    (me.generation, me.protocol) = (generation, protocol.clone());
                    me.list = members.iter().map(wishes_of).collect();
                    let members = members.iter().map(|listed| {
                        let wants = String::from_utf8_lossy(&listed.metadata);
                        format!("{} [{wants}]", self.name(&listed.member, "?"))
                    });
                    let members: Vec<String> = members.collect();
                    let leads = match members.is_empty() {
                        true => format!("led by {}", self.name(&leader, "nobody")),
                        false => format!("leads {}", members.join(", ")),
                    };
                    let me = self.name(&member, "?");
                    lines.push(format!("{me}: generation {generation}, {protocol}, {leads}"));
                }
                Next::Synced { ticket, assignment } => {
                    let asked = self.answered(ticket);
                    let reads = String::from_utf8_lossy(&assignment).into_owned();
                    let reads = if reads.is_empty() { "nothing".to_owned() } else { reads };
                    lines.push(format!("{}: reads {reads}", self.name(&asked.id, &asked.name)));
                }
                Next::Refused { ticket, error: Error::MemberIdRequired { member } } => {
                    let asked = self.answered(ticket);
                    self.meet(&asked.name, &member);
                    let id = self.name(&member, "?");
                    lines.push(format!("{}: MEMBER_ID_REQUIRED, {id}", asked.name));
                    if let Some(join) = asked.again {
                        let join = Join { member: member.clone(), ..join };
                        let asked = Asked { name: asked.name, id: member, again: None };
                        lines.extend(self.send_join(asked, join));
                    }
                }
                Next::Refused { ticket, error } => {
                    let asked = self.answered(ticket);
                    let who = self.name(&asked.id, &asked.name);
                    lines.push(format!("{who}: {}", kafkas_name(&error)));
                }
            }
        }
        lines
    }

    fn save_is_over(&mut self, well: bool) -> Vec<String> {
        self.hold &= !well;
        let mut lines = Vec::new();
        for (generation, metadata) in std::mem::take(&mut self.to_save) {
            let next = if well {
                self.saved = metadata;
                self.group.saved(self.clock_ms, generation)
            } else {
                self.group.not_saved(self.clock_ms, generation)
            };
            lines.extend(self.told(next));
        }
        lines
    }

    fn answered(&mut self, ticket: u64) -> Asked {
        let asked = self.tickets.remove(&ticket);
        asked.unwrap_or_else(|| panic!("R4.18: ticket {ticket} was answered already"))
    }

    fn meet(&mut self, name: &str, id: &str) -> &mut Client {
        self.name(id, name);
        let me = self.clients.get_mut(name).expect("it has asked");
        me.id = id.to_owned();
        me
    }

    /// `ann/17` is shown as ann-1, if it is the first id of ann's that anybody has heard of.
    fn name(&mut self, id: &str, otherwise: &str) -> String {
        let name = id.split('/').next().unwrap_or_default();
        let Some(owner) = self.clients.get_mut(name).filter(|_| id.contains('/')) else {
            return if id.is_empty() { otherwise } else { id }.to_owned();
        };
        if !owner.ids.iter().any(|known| known == id) {
            owner.ids.push(id.to_owned());
        }
        let at = owner.ids.iter().position(|known| known == id).expect("it is there");
        format!("{name}-{}", at + 1)
    }

    fn describe(&mut self) -> Vec<String> {
        let leader = self.group.leader().unwrap_or_default().to_owned();
        let (leader, group) = (self.name(&leader, "nobody"), &self.group);
        let (state, generation) = (group.state(), group.generation());
        let protocol = group.protocol().unwrap_or("-").to_owned();
        let mut lines =
            vec![format!("{state}, generation {generation}, {protocol}, led by {leader}")];
        let members: Vec<_> = group.members().cloned().collect();
        for member in members {
            let mut line = format!("{}:", self.name(&member.id, "?"));
            if let Some(instance) = &member.instance_id {
                line += &format!(" instance {instance}");
            }
            let wants = String::from_utf8_lossy(member.metadata(&protocol));
            let reads = String::from_utf8_lossy(&member.assignment);
            lines.push(format!("{line} wants {wants}, reads {}", or_nothing(&reads)));
        }
        lines
    }
}

impl Client {
    fn wishes(&mut self, line: &Line) {
        let mut words: Vec<&str> = line.words[1..].to_vec();
        if let Some(offers) = words.iter().position(|word| *word == "offers") {
            self.offers = words.split_off(offers)[1..].iter().map(|s| (*s).to_owned()).collect();
        }
        self.is_static |= words.contains(&"static");
        self.kind = if words.contains(&"connect") { "connect" } else { "consumer" }.to_owned();
        words.retain(|word| !["static", "fresh", "connect"].contains(word));
        if !words.is_empty() {
            self.topics = words.into_iter().map(str::to_owned).collect();
        }
        self.session_ms = line.named("session").unwrap_or(self.session_ms);
        self.rebalance_ms = line.named("rebalance").unwrap_or(self.rebalance_ms);
    }

    fn instance(&self) -> Option<String> {
        self.is_static.then(|| self.name.clone())
    }

    fn nth(&self, n: u64) -> String {
        self.ids.get(n as usize - 1).cloned().unwrap_or_else(|| format!("{}-{n}", self.name))
    }
}

fn wishes_of(listed: &Listed) -> (String, Vec<String>) {
    let topics = String::from_utf8_lossy(&listed.metadata);
    (listed.member.clone(), topics.split_whitespace().map(str::to_owned).collect())
}

/// `a0 a1 b0`
pub fn listed(partitions: &[(String, u32)]) -> String {
    let mut names: Vec<String> =
        partitions.iter().map(|(topic, n)| format!("{topic}{n}")).collect();
    names.sort();
    names.join(" ")
}

pub fn or_nothing(reads: &str) -> &str {
    if reads.is_empty() { "nothing" } else { reads }
}

/// The name that Kafka's protocol has for an error.
fn kafkas_name(error: &Error) -> &'static str {
    match error {
        Error::UnknownMemberId { .. } => "UNKNOWN_MEMBER_ID",
        Error::IllegalGeneration { .. } => "ILLEGAL_GENERATION",
        Error::RebalanceInProgress => "REBALANCE_IN_PROGRESS",
        Error::MemberIdRequired { .. } => "MEMBER_ID_REQUIRED",
        Error::FencedInstanceId { .. } => "FENCED_INSTANCE_ID",
        Error::InconsistentGroupProtocol { .. } => "INCONSISTENT_GROUP_PROTOCOL",
        Error::InvalidSessionTimeout { .. } => "INVALID_SESSION_TIMEOUT",
        Error::GroupMaxSizeReached { .. } => "GROUP_MAX_SIZE_REACHED",
        Error::CoordinatorNotAvailable => "COORDINATOR_NOT_AVAILABLE",
        Error::NotCoordinator => "NOT_COORDINATOR",
    }
}
