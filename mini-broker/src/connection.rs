//! One client's connection: frames in, answers out in the order of the requests.
//!
//! At most 64 requests of a connection are under way; then no more is read until an answer has gone
//! out. What is read is decoded and validated here, so that clients' work runs in parallel and the
//! engine sees only whole requests.

mod buffer;

mod send;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{Sender, UnboundedReceiver};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use wire::api_versions::{ApiVersion, ApiVersionsResponse};
use wire::{DecodeError, ErrorCode, Listener, Request, RequestHeader, decode_request_on, frame};

use crate::engine::{Delivery, Keyed, ToEngine};
use crate::node::{Answer, Client, Input, Ticket};
use crate::numbers::requests::{FetchKind, Requests};
use crate::validate::validate;
use buffer::ReadBuffer;

const MOST_UNDER_WAY: usize = 64;

/// What is read at first, before the length of a frame is known. Most requests of a group's member are
/// smaller, and its connection has them for its whole life.
const FIRST_READ: usize = 1 << 10;

/// Frames up to this size get their memory at once. Larger ones grow as their bytes arrive, so that
/// a client that only announces bytes does not take any.
const RESERVED_WHOLE: usize = 1 << 20;

/// A client that says nothing for this long may say nothing for hours: its memory is given back.
const IDLE: Duration = Duration::from_secs(1);

/// Half a frame may wait this long for its other half, and as much again for each MiB.
const HALF_FRAME: Duration = Duration::from_secs(30);

const API_VERSIONS: i16 = 18;

/// What a connection may take.
pub struct Limits {
    pub max_request_bytes: usize,
    /// Permits to read a large frame.
    pub large: Arc<Semaphore>,
    /// Whose requests are taken.
    pub listener: Listener,
    /// The topics that take no record without a key.
    pub keyed: Keyed,
    /// Where requests are counted and their time is taken, if somebody may look.
    pub requests: Option<Arc<Requests>>,
}

pub struct Connection {
    connection: u32,
    stream: TcpStream,
    peer: SocketAddr,
    engine: Sender<ToEngine>,
    answers: UnboundedReceiver<Box<Delivery>>,
    limits: Limits,
    /// Read and not yet cut into frames. Holds no memory while the connection is idle.
    read: ReadBuffer,
    /// When the frame that has begun must be whole.
    frame_due: Option<Instant>,
    large: Option<OwnedSemaphorePermit>,
    /// Requests under way, the oldest first, and their answers as they come.
    under_way: VecDeque<UnderWay>,
    /// The number of the oldest request under way.
    oldest: u32,
    /// Nothing more is read: the last answer says why to hang up.
    closing: bool,
}

struct UnderWay {
    header: RequestHeader,
    delivery: Option<Box<Delivery>>,
    /// Held until the engine is done with a large request's memory.
    large: Option<OwnedSemaphorePermit>,
}

impl Connection {
    pub fn new(
        connection: u32,
        stream: TcpStream,
        peer: SocketAddr,
        engine: Sender<ToEngine>,
        answers: UnboundedReceiver<Box<Delivery>>,
        limits: Limits,
    ) -> Self {
        Self {
            connection,
            stream,
            peer,
            engine,
            answers,
            limits,
            read: ReadBuffer::default(),
            frame_due: None,
            large: None,
            under_way: VecDeque::new(),
            oldest: 0,
            closing: false,
        }
    }

    /// Serves the client until it goes, or until there is a reason to hang up: the error.
    pub async fn serve(mut self) -> io::Result<()> {
        self.stream.set_nodelay(true)?;
        loop {
            self.take_frames().await?;
            let may_read = !self.closing && self.under_way.len() < MOST_UNDER_WAY;
            let wants_permit = may_read && self.large.is_none() && self.is_large();
            let due = self.frame_due;
            tokio::select! {
                biased;
                delivery = self.answers.recv() => match delivery {
                    Some(delivery) => self.answered(delivery).await?,
                    None => return Ok(()), // the engine has stopped
                },
                permit = Arc::clone(&self.limits.large).acquire_owned(), if wants_permit => {
                    self.large = permit.ok();
                }
                ready = self.stream.readable(), if may_read && !wants_permit => {
                    ready?;
                    if !self.read_some()? {
                        return Ok(());
                    }
                }
                () = tokio::time::sleep(IDLE), if self.read.is_idle() => self.read.rest(),
                () = sleep_until(due), if due.is_some() && may_read => {
                    return Err(hang_up("half a request, and nothing more came"));
                }
            }
        }
    }

    /// Reads what is there, into memory reserved for it. False: the client is gone.
    fn read_some(&mut self) -> io::Result<bool> {
        let missing = match self.announced()? {
            Some(whole) => (4 + whole - self.read.bytes.len()).min(RESERVED_WHOLE),
            None => FIRST_READ,
        };
        self.read.reserve(missing);
        match self.stream.try_read_buf(&mut self.read.bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
            read => read.map(|bytes| bytes > 0),
        }
    }

    /// Cuts off the frames that are whole, and hands their requests on.
    async fn take_frames(&mut self) -> io::Result<()> {
        while !self.closing && self.under_way.len() < MOST_UNDER_WAY {
            let cut = frame::cut(&mut self.read.bytes, self.limits.max_request_bytes);
            let Some(frame) = cut.map_err(io::Error::other)? else {
                if self.read.bytes.is_empty() {
                    self.frame_due = None;
                } else if self.frame_due.is_none() {
                    let mebibytes = self.announced()?.unwrap_or(0) >> 20;
                    self.frame_due = Some(Instant::now() + HALF_FRAME * (1 + mebibytes as u32));
                }
                break;
            };
            self.frame_due = None;
            self.take_request(frame).await?;
        }
        Ok(())
    }

    async fn take_request(&mut self, frame: BytesMut) -> io::Result<()> {
        let received = Instant::now();
        let (header, request) = match decode_request_on(self.limits.listener, frame) {
            Ok(decoded) => decoded,
            Err(error) => return self.refuse(error).await,
        };
        let number = self.oldest.wrapping_add(self.under_way.len() as u32);
        let ticket = Ticket { connection: self.connection, request: number };
        let client = Client {
            id: header.client_id.clone(),
            host: self.peer.ip(),
            api_version: header.api_version,
        };
        let large = self.large.take();
        self.under_way.push_back(UnderWay { header, delivery: None, large });
        let verdicts = validate(&request, &self.limits.keyed.borrow());
        let kind = match &request {
            Request::Fetch(fetch) if fetch.replica_id >= 0 => FetchKind::Follower,
            Request::Fetch(_) => FetchKind::Consumer,
            _ => FetchKind::No,
        };
        let input = Input::Request { ticket, client, request, verdicts };
        let sent = match self.limits.requests {
            Some(_) => self.engine.send(ToEngine::Timed(received, kind, input)).await,
            None => self.engine.send(ToEngine::Input(input)).await,
        };
        sent.map_err(|_| hang_up("the broker is stopping"))
    }

    /// A frame that is no request of ours. A version of ApiVersions that is too new gets the one
    /// answer that every client can read; anything else cannot be answered, so we hang up, after
    /// what was asked before is answered.
    async fn refuse(&mut self, error: DecodeError) -> io::Result<()> {
        let mut header = error.header().cloned().unwrap_or_default();
        let answer = match &error {
            DecodeError::UnsupportedVersion { range, .. } if range.key == API_VERSIONS => {
                header.api_version = 0;
                Answer::from(ApiVersionsResponse {
                    error_code: ErrorCode::UNSUPPORTED_VERSION,
                    api_keys: vec![ApiVersion {
                        api_key: range.key,
                        min_version: range.min,
                        max_version: range.max,
                    }],
                    ..Default::default()
                })
            }
            _ => {
                self.closing = true;
                Answer::HangUp(error.to_string())
            }
        };
        let request = self.oldest.wrapping_add(self.under_way.len() as u32);
        self.large = None;
        self.under_way.push_back(UnderWay { header, delivery: None, large: None });
        let delivery = Delivery { request, answer, files: Vec::new(), stamps: None };
        self.answered(Box::new(delivery)).await
    }

    /// Takes an answer, and others that are there, and sends all whose turn it is.
    async fn answered(&mut self, delivery: Box<Delivery>) -> io::Result<()> {
        self.place(delivery);
        while let Ok(more) = self.answers.try_recv() {
            self.place(more);
        }
        let mut ready = Vec::new();
        while self.under_way.front().is_some_and(|oldest| oldest.delivery.is_some()) {
            let UnderWay { header, delivery, .. } = self.under_way.pop_front().expect("just seen");
            self.oldest = self.oldest.wrapping_add(1);
            ready.extend(delivery.map(|delivery| (header, delivery)));
        }
        send::answers(&self.stream, ready, self.limits.requests.as_deref()).await
    }

    fn place(&mut self, delivery: Box<Delivery>) {
        let place = delivery.request.wrapping_sub(self.oldest) as usize;
        if let Some(under_way) = self.under_way.get_mut(place) {
            under_way.delivery = Some(delivery);
            under_way.large = None;
        }
    }

    /// The length of the frame that has begun, once its four bytes are there.
    fn announced(&self) -> io::Result<Option<usize>> {
        let Some(announced) = self.read.bytes.first_chunk() else { return Ok(None) };
        let length = frame::check_length(*announced, self.limits.max_request_bytes);
        length.map(Some).map_err(io::Error::other)
    }

    fn is_large(&self) -> bool {
        matches!(self.announced(), Ok(Some(length)) if length > RESERVED_WHOLE)
    }
}

async fn sleep_until(due: Option<Instant>) {
    if let Some(due) = due {
        tokio::time::sleep_until(due).await;
    }
}

pub(crate) fn hang_up(why: impl Into<String>) -> io::Error {
    io::Error::other(why.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Thousands of members of groups have a connection each, with room for a few from the start.
    #[test]
    fn a_request_under_way_takes_little() {
        assert!(size_of::<UnderWay>() <= 64, "{} bytes", size_of::<UnderWay>());
    }
}
