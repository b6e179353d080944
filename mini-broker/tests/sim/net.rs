//! The network: connections with an order in each direction and a delay for everything, lines between
//! nodes as the engine has them, and all the ways in which a connection ends.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr};

use mini_broker::broker::{Answer, Call, Client, Input, Peer, PeerGone, Ticket};
use mini_broker::engine::peers::Line;
use mini_broker::validate::validate;
use wire::{Records, Request, Response};

use crate::host::COORDINATOR;
use crate::world::{Event, World};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    Host(usize),
    Client(usize),
}

#[derive(Default)]
pub struct Net {
    pub connections: BTreeMap<u32, Connection>,
    last: u32,
    pub lines: BTreeMap<(usize, usize, Line), Outgoing>,
    /// Pairs of hosts between which nothing gets through.
    pub blocked: BTreeSet<(usize, usize)>,
    held: Vec<Event>,
    /// What nodes have sent to each other, counted by its name.
    pub sent: BTreeMap<&'static str, u64>,
}

/// One node's way to another.
#[derive(Default)]
pub struct Outgoing {
    pub connection: Option<u32>,
    opening: bool,
    waiting: VecDeque<(Call, Request)>,
}

pub struct Connection {
    pub client: End,
    pub server: usize,
    pub server_life: u32,
    pub line: Option<Line>,
    pub client_open: bool,
    pub server_open: bool,
    /// What is on its way does not arrive.
    pub to_server_lost: bool,
    pub to_client_lost: bool,
    next: u32,
    /// Requests without an answer, with the call of a node, and since when.
    pub waiting: BTreeMap<u32, (Option<Call>, u64)>,
    /// What the server has not answered, the oldest first.
    pub under_way: VecDeque<UnderWay>,
    oldest: u32,
    /// Nothing arrives before these times.
    pub to_server_us: u64,
    pub to_client_us: u64,
}

pub struct UnderWay {
    pub since_us: u64,
    pub what: &'static str,
    pub answer: Option<Reply>,
}

/// What leaves a server.
pub enum Reply {
    Body(Response),
    Nothing,
    HangUp(String),
}

/// How often, and how far apart, a node tries to get a connection.
const CONNECT_TRIES: u32 = 5;
const CONNECT_AGAIN_US: u64 = 1_000_000;

impl World {
    /// How long something takes from one machine to another.
    pub fn delay(&mut self) -> u64 {
        match self.dice.below(100) {
            0 => self.dice.between(5_000, 150_000),
            1..=5 => self.dice.between(1_000, 10_000),
            _ => self.dice.between(100, 1_500),
        }
    }

    pub fn is_blocked(&self, one: usize, other: usize) -> bool {
        self.net.blocked.contains(&(one.min(other), one.max(other)))
    }

    pub fn block(&mut self, one: usize, other: usize) {
        self.net.blocked.insert((one.min(other), one.max(other)));
    }

    /// What was held comes now, before anything that was sent later.
    pub fn unblock_all(&mut self) {
        self.net.blocked.clear();
        for event in std::mem::take(&mut self.net.held) {
            self.happens(event);
        }
    }

    /// Holds an event that has to get from one machine to another, if it cannot.
    pub fn held(&mut self, connection: u32, event: Event) -> Option<Event> {
        let known = self.net.connections.get(&connection);
        if let Some(Connection { client: End::Host(client), server, .. }) = known
            && self.is_blocked(*client, *server)
        {
            self.net.held.push(event);
            return None;
        }
        Some(event)
    }

    fn connection(&mut self, client: End, server: usize, line: Option<Line>) -> u32 {
        self.net.last += 1;
        let connection = Connection {
            client,
            server,
            server_life: self.hosts[server].life,
            line,
            client_open: true,
            server_open: true,
            to_server_lost: false,
            to_client_lost: false,
            next: 0,
            waiting: BTreeMap::new(),
            under_way: VecDeque::new(),
            oldest: 0,
            to_server_us: 0,
            to_client_us: 0,
        };
        self.net.connections.insert(self.net.last, connection);
        self.net.last
    }

    /// A client's way to a broker, if it listens.
    pub fn connect(&mut self, client: usize, server: usize) -> Option<u32> {
        let host = &self.hosts[server];
        (host.program.is_some() && host.listening)
            .then(|| self.connection(End::Client(client), server, None))
    }

    /// Sends a request on a connection and gives its number.
    pub fn request(&mut self, connection: u32, call: Option<Call>, request: Request) -> u32 {
        let (delay, now) = (self.delay(), self.now_us);
        if call.is_some() {
            *self.net.sent.entry(name_of(&request)).or_default() += 1;
        }
        let known = self.net.connections.get_mut(&connection).expect("somebody has it");
        let number = known.next;
        known.next += 1;
        known.waiting.insert(number, (call, now));
        known.to_server_us = known.to_server_us.max(now + delay);
        let at_us = known.to_server_us;
        self.at(at_us, Event::ToServer { connection, request: Box::new(request) });
        number
    }

    /// A node sends to another.
    pub fn send(&mut self, from: usize, call: Call, to: &Peer, request: Request) {
        let to = match to {
            Peer::Coordinator => COORDINATOR,
            Peer::Broker { id, .. } => *id as usize,
        };
        let line = Line::of(&request);
        let outgoing = self.net.lines.entry((from, to, line)).or_default();
        match outgoing.connection {
            Some(connection) if !outgoing.opening => {
                self.request(connection, Some(call), request);
            }
            _ => {
                outgoing.waiting.push_back((call, request));
                self.open_line(from, to, line);
            }
        }
    }

    fn open_line(&mut self, from: usize, to: usize, line: Line) {
        let outgoing = self.net.lines.entry((from, to, line)).or_default();
        if std::mem::replace(&mut outgoing.opening, true) {
            return;
        }
        let (delay, life) = (2 * self.delay(), self.hosts[from].life);
        let open = Event::Open { from, life, to, line, tries: CONNECT_TRIES };
        self.at(self.now_us + delay, open);
    }

    pub fn opened(&mut self, from: usize, life: u32, to: usize, line: Line, tries: u32) {
        if self.hosts[from].life != life || self.hosts[from].program.is_none() {
            return;
        }
        let host = &self.hosts[to];
        let silent = host.off || host.hung || self.is_blocked(from, to);
        if silent && tries > 1 {
            let open = Event::Open { from, life, to, line, tries: tries - 1 };
            return self.at(self.now_us + CONNECT_AGAIN_US, open);
        }
        let there = !silent && host.program.is_some() && host.listening;
        let connection = there.then(|| self.connection(End::Host(from), to, Some(line)));
        let outgoing = self.net.lines.entry((from, to, line)).or_default();
        outgoing.opening = false;
        outgoing.connection = connection;
        match connection {
            Some(connection) => {
                for (call, request) in std::mem::take(&mut outgoing.waiting) {
                    self.request(connection, Some(call), request);
                }
            }
            None => {
                let gone = outgoing.waiting.pop_front();
                if !outgoing.waiting.is_empty() {
                    self.open_line(from, to, line);
                }
                if let Some((call, _)) = gone {
                    self.peer_gone(from, call, "there is no connection");
                }
            }
        }
    }

    pub fn peer_gone(&mut self, host: usize, call: Call, why: &str) {
        self.input(host, Input::Reply { call, reply: Err(PeerGone(why.into())) });
    }

    pub fn at_server(&mut self, connection: u32, request: Box<Request>) {
        let event = Event::ToServer { connection, request };
        let Some(Event::ToServer { request, .. }) = self.held(connection, event) else { return };
        let now = self.now_us;
        let Some(known) = self.net.connections.get_mut(&connection) else { return };
        let server = known.server;
        let there = known.server_open && self.hosts[server].life == known.server_life;
        if !there || known.to_server_lost {
            return;
        }
        let number = known.oldest + known.under_way.len() as u32;
        let what = name_of(&request);
        known.under_way.push_back(UnderWay { since_us: now, what, answer: None });
        let api_version = wire::supported(request.api_key()).map_or(0, |range| range.max);
        let client = Client { id: None, host: IpAddr::V4(Ipv4Addr::LOCALHOST), api_version };
        let verdicts = validate(&request, &self.hosts[server].keyed);
        let ticket = Ticket { connection, request: number };
        self.input(server, Input::Request { ticket, client, request: *request, verdicts });
    }

    /// A node has answered: it leaves when its turn has come.
    pub fn answered(&mut self, server: usize, ticket: Ticket, answer: Answer) {
        let reply = match answer {
            Answer::Response { body, slices } => {
                let disk = self.hosts[server].disk.clone();
                Reply::Body(with_records(body, |slot| {
                    let slice = &slices[slot as usize];
                    let mut bytes = vec![0; slice.len as usize];
                    let file = format!("{:020}.log", slice.segment);
                    let read = disk.lock().read_at(&slice.dir, &file, slice.position, &mut bytes);
                    assert_eq!(read, bytes.len(), "{slice:?} is not there");
                    bytes
                }))
            }
            Answer::Nothing => Reply::Nothing,
            Answer::HangUp(why) => Reply::HangUp(why),
        };
        let Some(known) = self.net.connections.get_mut(&ticket.connection) else { return };
        if !known.server_open {
            return;
        }
        let place = ticket.request.wrapping_sub(known.oldest) as usize;
        match known.under_way.get_mut(place) {
            Some(under_way) if under_way.answer.is_none() => under_way.answer = Some(reply),
            _ => return self.fail(format!("{ticket:?} of host {server} is answered twice")),
        }
        while let Some(known) = self.net.connections.get_mut(&ticket.connection)
            && known.under_way.front().is_some_and(|oldest| oldest.answer.is_some())
        {
            let number = known.oldest;
            known.oldest += 1;
            let reply = known.under_way.pop_front().and_then(|it| it.answer).expect("just seen");
            match reply {
                Reply::Body(body) => self.reply(ticket.connection, number, body),
                Reply::Nothing => drop(known.waiting.remove(&number)),
                Reply::HangUp(why) => {
                    self.note(|| format!("host {server} hangs up: {why}"));
                    return self.cut(ticket.connection);
                }
            }
        }
    }

    fn reply(&mut self, connection: u32, number: u32, body: Response) {
        let (delay, now) = (self.delay(), self.now_us);
        let known = self.net.connections.get_mut(&connection).expect("it was there");
        known.to_client_us = known.to_client_us.max(now + delay);
        let at_us = known.to_client_us;
        self.at(at_us, Event::ToClient { connection, number, body: Box::new(body) });
    }

    pub fn at_client(&mut self, connection: u32, number: u32, body: Box<Response>) {
        let event = Event::ToClient { connection, number, body };
        let Some(Event::ToClient { body, .. }) = self.held(connection, event) else { return };
        let Some(known) = self.net.connections.get_mut(&connection) else { return };
        if !known.client_open || known.to_client_lost {
            return;
        }
        let Some((call, _)) = known.waiting.remove(&number) else { return }; // waited long enough
        match (known.client, call) {
            (End::Host(host), Some(call)) => {
                self.input(host, Input::Reply { call, reply: Ok(*body) });
            }
            (End::Client(client), _) => self.client_answered(client, connection, number, *body),
            _ => {}
        }
    }
}

/// An answer as it goes over the wire: with its records.
fn with_records(mut body: Response, bytes_of: impl Fn(u32) -> Vec<u8>) -> Response {
    if let Response::Fetch(fetched) = &mut body {
        for data in fetched.responses.iter_mut().flat_map(|topic| &mut topic.partitions) {
            if let Records::There { slot, .. } = data.records {
                data.records = Records::Here((&bytes_of(slot)[..]).into());
            }
        }
    }
    body
}

pub fn name_of(request: &Request) -> &'static str {
    wire::supported(request.api_key()).map_or("?", |range| range.name)
}
