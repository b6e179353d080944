//! The way to other nodes. A line is a connection for requests of one kind: what may wait long (Fetch)
//! must not hold up what shows that a node lives (BrokerHeartbeat), nor what a client waits for.
//!
//! A line is opened when it is first needed and stays open. When it is lost, everything that waits on it
//! comes back as [`PeerGone`], and the next request opens it again.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use tokio::sync::mpsc::{self, Sender, UnboundedReceiver, UnboundedSender};
use wire::{Records, Request, Response};

use super::{Delivery, ToEngine};
use crate::client::{Connection, address};
use crate::node::{Answer, Call, Client, Input, Located, Peer, PeerGone, Ticket};
use crate::validate::Verdicts;

/// How long an answer may take. A node that hangs for longer is asked again on a new connection.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where the coordinator is.
#[derive(Clone)]
pub enum Coordinator {
    /// In this process.
    Here(Sender<ToEngine>),
    /// At this HOST:PORT.
    At(String),
    /// This node is it, and asks nobody.
    Nowhere,
}

/// Requests of one line do not wait for those of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Line {
    Fetching,
    Living,
    Asking,
}

impl Line {
    pub fn of(request: &Request) -> Self {
        match request {
            Request::Fetch(_) | Request::FetchSnapshot(_) => Line::Fetching,
            Request::BrokerRegistration(_) | Request::BrokerHeartbeat(_) => Line::Living,
            _ => Line::Asking,
        }
    }
}

pub struct Peers {
    /// How this node calls itself.
    client_id: String,
    coordinator: Coordinator,
    lines: BTreeMap<(Peer, Line), UnboundedSender<(Call, Request)>>,
    /// For the answers.
    engine: Sender<ToEngine>,
}

impl Peers {
    pub fn new(client_id: String, coordinator: Coordinator, engine: Sender<ToEngine>) -> Self {
        Self { client_id, coordinator, lines: BTreeMap::new(), engine }
    }

    pub fn send(&mut self, call: Call, to: Peer, request: Request) {
        let line = (to, Line::of(&request));
        let Err(mpsc::error::SendError(unsent)) = self.line(&line).send((call, request)) else {
            return;
        };
        // Its task has ended with the node at the other end; a new one may find it again.
        self.lines.remove(&line);
        let _ = self.line(&line).send(unsent);
    }

    fn line(&mut self, line: &(Peer, Line)) -> &UnboundedSender<(Call, Request)> {
        let (client_id, engine) = (&self.client_id, &self.engine);
        let coordinator = &self.coordinator;
        self.lines.entry(line.clone()).or_insert_with(|| {
            let (sender, requests) = mpsc::unbounded_channel();
            let address = match (&line.0, coordinator) {
                (Peer::Coordinator, Coordinator::Here(node)) => {
                    tokio::spawn(local(node.clone(), requests, engine.clone()));
                    return sender;
                }
                (Peer::Coordinator, Coordinator::At(address)) => address.clone(),
                (Peer::Coordinator, Coordinator::Nowhere) => String::new(),
                (Peer::Broker { host, port, .. }, _) => address(host, (*port).into()),
            };
            tokio::spawn(remote(address, client_id.clone(), requests, engine.clone()));
            sender
        })
    }
}

/// A line to a node elsewhere. Requests do not wait for the answers to those before.
async fn remote(
    address: String,
    client_id: String,
    mut requests: UnboundedReceiver<(Call, Request)>,
    engine: Sender<ToEngine>,
) {
    let mut open: Option<Connection> = None;
    while let Some((call, request)) = requests.recv().await {
        let connection = match open.take().filter(|connection| !connection.is_closed()) {
            Some(connection) => Ok(connection),
            None => Connection::open(&address, &client_id).await,
        };
        let engine = engine.clone();
        match connection {
            Ok(connection) => {
                open = Some(connection.clone());
                tokio::spawn(async move {
                    let reply = connection.exchange(request, PATIENCE).await;
                    let reply = reply.map_err(|error| PeerGone(error.to_string()));
                    let _ = engine.send(ToEngine::Input(Input::Reply { call, reply })).await;
                });
            }
            Err(error) => {
                let reply = Err(PeerGone(error.to_string()));
                let _ = engine.send(ToEngine::Input(Input::Reply { call, reply })).await;
            }
        }
    }
}

/// Numbers of connections that no listener comes to.
static LOCAL: AtomicU32 = AtomicU32::new(u32::MAX / 2);

/// A line to a node in this process.
async fn local(
    node: Sender<ToEngine>,
    mut requests: UnboundedReceiver<(Call, Request)>,
    engine: Sender<ToEngine>,
) {
    let connection = LOCAL.fetch_add(1, Ordering::Relaxed);
    let (answers, mut inbox) = mpsc::unbounded_channel();
    if node.send(ToEngine::Connected { connection, answers }).await.is_err() {
        return;
    }
    let mut waiting: BTreeMap<u32, Call> = BTreeMap::new();
    let mut number = 0;
    loop {
        tokio::select! {
            request = requests.recv() => {
                let Some((call, request)) = request else { break };
                waiting.insert(number, call);
                let input = Input::Request {
                    ticket: Ticket { connection, request: number },
                    client: client(&request),
                    request,
                    verdicts: Verdicts::new(),
                };
                number = number.wrapping_add(1);
                if node.send(ToEngine::Input(input)).await.is_err() {
                    break;
                }
            }
            delivery = inbox.recv() => {
                let Some(delivery) = delivery else { break };
                let Some(call) = waiting.remove(&delivery.request) else { continue };
                let reply = taken(*delivery);
                let _ = engine.send(ToEngine::Input(Input::Reply { call, reply })).await;
            }
        }
    }
    let _ = node.send(ToEngine::Input(Input::Gone { connection })).await;
    for call in waiting.into_values() {
        let reply = Err(PeerGone("it has stopped".into()));
        let _ = engine.send(ToEngine::Input(Input::Reply { call, reply })).await;
    }
}

fn client(request: &Request) -> Client {
    let api_version = wire::supported(request.api_key()).map_or(0, |range| range.max);
    Client { id: None, host: IpAddr::V4(Ipv4Addr::LOCALHOST), api_version }
}

/// An answer as it would come over the wire: its records are read from their files.
fn taken(delivery: Delivery) -> Result<Response, PeerGone> {
    let Delivery { answer, files, .. } = delivery;
    let (mut body, slices) = match answer {
        Answer::Response { body, slices } => (body, slices),
        Answer::Nothing => return Err(PeerGone("it answers nothing".into())),
        Answer::HangUp(why) => return Err(PeerGone(why)),
    };
    if let Response::Fetch(fetched) = &mut body {
        for data in fetched.responses.iter_mut().flat_map(|topic| &mut topic.partitions) {
            if let Records::There { slot, .. } = data.records {
                let bytes = read(&files[slot as usize], &slices[slot as usize]);
                data.records = Records::Here(bytes.map_err(|error| PeerGone(error.to_string()))?);
            }
        }
    }
    Ok(body)
}

fn read(file: &Arc<File>, slice: &Located) -> std::io::Result<BytesMut> {
    let mut bytes = BytesMut::zeroed(slice.len as usize);
    file.read_exact_at(&mut bytes, slice.position)?;
    Ok(bytes)
}
