//! One connection to one broker: requests go out one after the other, answers come back in the same
//! order, and nobody waits for an answer before sending the next request.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use wire::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
use wire::{Api, ErrorCode, Request, RequestHeader, Response};

use super::Error;

/// How long a client waits for a connection.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long it waits for an answer: Kafka's `request.timeout.ms`.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// A handle; clones use the same connection. It closes when the last one is dropped.
#[derive(Clone, Debug)]
pub struct Connection {
    shared: Arc<Shared>,
    sender: mpsc::Sender<Outgoing>,
}

#[derive(Debug)]
struct Shared {
    address: String,
    client_id: String,
    /// What the broker speaks: key → versions from, to.
    versions: BTreeMap<i16, (i16, i16)>,
    /// Why the connection ended, once it has.
    ended: Arc<OnceLock<String>>,
}

struct Outgoing {
    header: RequestHeader,
    request: Request,
    /// `None`: no answer will come (acks=0); the writer tells when the bytes are out.
    answer: Option<oneshot::Sender<Result<Response, wire::DecodeError>>>,
    written: Option<oneshot::Sender<()>>,
}

/// What the reader needs to know of a request that was sent.
struct Expected {
    header: RequestHeader,
    answer: oneshot::Sender<Result<Response, wire::DecodeError>>,
}

impl Connection {
    /// Connects and asks for the broker's API versions.
    pub async fn open(address: &str, client_id: &str) -> Result<Self, Error> {
        let failed = |source| Error::Connect { address: address.to_owned(), source };
        let stream = match timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
            Ok(stream) => stream.map_err(failed)?,
            Err(_) => return Err(failed(io::ErrorKind::TimedOut.into())),
        };
        stream.set_nodelay(true).map_err(failed)?;
        let (read, write) = stream.into_split();
        // The bound is the pushback: who sends faster than the socket takes, waits.
        let (sender, outgoing) = mpsc::channel(16);
        let (expect, expected) = mpsc::unbounded_channel();
        let ended = Arc::new(OnceLock::new());
        tokio::spawn(write_requests(write, outgoing, expect));
        tokio::spawn(read_answers(read, expected, Arc::clone(&ended)));
        let shared = Shared {
            address: address.to_owned(),
            client_id: client_id.to_owned(),
            versions: BTreeMap::new(),
            ended,
        };
        let mut connection = Connection { shared: Arc::new(shared), sender };
        let versions = connection.api_versions().await?;
        let versions = versions.into_iter().map(|v| (v.api_key, (v.min_version, v.max_version)));
        let shared = Arc::get_mut(&mut connection.shared).expect("no clone was handed out yet");
        shared.versions = versions.collect();
        Ok(connection)
    }

    pub fn address(&self) -> &str {
        &self.shared.address
    }

    pub fn is_closed(&self) -> bool {
        self.shared.ended.get().is_some() || self.sender.is_closed()
    }

    /// Sends `request` in the highest version both sides speak, and waits for its answer.
    pub async fn call<R: Api>(&self, request: R) -> Result<R::Response, Error> {
        self.call_within(request, REQUEST_TIMEOUT).await
    }

    pub async fn call_within<R: Api>(
        &self,
        request: R,
        within: Duration,
    ) -> Result<R::Response, Error> {
        let version = self.version(R::KEY)?;
        self.call_in_version(request, version, within).await
    }

    /// The same for any request, where what kind it is is not known beforehand.
    pub async fn exchange(&self, request: Request, within: Duration) -> Result<Response, Error> {
        let version = self.version(request.api_key())?;
        self.exchange_in_version(request, version, within).await
    }

    /// For requests that are not answered: returns once the bytes are with the operating system.
    pub async fn send<R: Api>(&self, request: R) -> Result<(), Error> {
        let header = self.header(R::KEY, self.version(R::KEY)?);
        let (written, out) = oneshot::channel();
        let request = request.into();
        let outgoing = Outgoing { header, request, answer: None, written: Some(written) };
        self.sender.send(outgoing).await.map_err(|_| self.closed())?;
        out.await.map_err(|_| self.closed())
    }

    async fn call_in_version<R: Api>(
        &self,
        request: R,
        version: i16,
        within: Duration,
    ) -> Result<R::Response, Error> {
        let response = self.exchange_in_version(request.into(), version, within).await?;
        Ok(R::response(response).expect("an answer is read by the table of its request"))
    }

    async fn exchange_in_version(
        &self,
        request: Request,
        version: i16,
        within: Duration,
    ) -> Result<Response, Error> {
        let key = request.api_key();
        let api = wire::supported(key).map_or("", |range| range.name);
        let header = self.header(key, version);
        let (answer, answered) = oneshot::channel();
        let exchange = async {
            let outgoing = Outgoing { header, request, answer: Some(answer), written: None };
            self.sender.send(outgoing).await.map_err(|_| self.closed())?;
            answered.await.map_err(|_| self.closed())
        };
        let address = || self.shared.address.clone();
        let Ok(answer) = timeout(within, exchange).await else {
            // Whoever hangs is not asked again here: what comes next begins with a new connection.
            let _ = self.shared.ended.set(format!("no answer to {api}"));
            return Err(Error::Timeout { address: address(), api, after: within });
        };
        answer?.map_err(|source| Error::Answer { address: address(), api, source })
    }

    /// Asks in our highest version; a broker that does not know it answers with its own range.
    async fn api_versions(&self) -> Result<Vec<wire::api_versions::ApiVersion>, Error> {
        let request = || ApiVersionsRequest {
            client_software_name: "mini-broker".to_owned(),
            client_software_version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let highest = *<ApiVersionsRequest as wire::Message>::VERSIONS.end();
        let ask = |version| self.call_in_version(request(), version, CONNECT_TIMEOUT);
        let mut answer: ApiVersionsResponse = ask(highest).await?;
        if answer.error_code == ErrorCode::UNSUPPORTED_VERSION {
            let mut theirs = answer.api_keys.iter();
            let theirs = theirs.find(|v| v.api_key == ApiVersionsRequest::KEY);
            answer = ask(theirs.map_or(0, |v| v.max_version.clamp(0, highest - 1))).await?;
        }
        match answer.error_code.is_ok() {
            true => Ok(answer.api_keys),
            false => {
                let what = format!("{}, asked for its API versions", self.shared.address);
                Err(Error::refused(what, answer.error_code, None))
            }
        }
    }

    fn header(&self, api_key: i16, api_version: i16) -> RequestHeader {
        // The correlation id is the writer's business: it knows the order.
        let client_id = Some(self.shared.client_id.clone());
        RequestHeader { api_key, api_version, correlation_id: 0, client_id }
    }

    fn version(&self, api_key: i16) -> Result<i16, Error> {
        let range = wire::supported(api_key).expect("every request stands in the table");
        let theirs = self.shared.versions.get(&api_key).copied();
        theirs
            .map(|(min, max)| (min.max(range.min_read), max.min(range.max)))
            .and_then(|(min, max)| (min <= max).then_some(max))
            .ok_or_else(|| {
                let (address, ours) = (self.shared.address.clone(), range.min_read..=range.max);
                Error::NoCommonVersion { address, api: range.name, theirs, ours }
            })
    }

    fn closed(&self) -> Error {
        let reason = self.shared.ended.get().cloned().unwrap_or_default();
        Error::Closed { address: self.shared.address.clone(), reason }
    }
}

async fn write_requests(
    mut socket: OwnedWriteHalf,
    mut outgoing: mpsc::Receiver<Outgoing>,
    expect: mpsc::UnboundedSender<Expected>,
) {
    let mut correlation_id = 0i32;
    while let Some(Outgoing { mut header, request, answer, written }) = outgoing.recv().await {
        header.correlation_id = correlation_id;
        correlation_id = correlation_id.wrapping_add(1);
        let frame = wire::encode_request(&header, &request);
        if let Some(answer) = answer
            && expect.send(Expected { header, answer }).is_err()
        {
            return;
        }
        if socket.write_all(&frame).await.is_err() {
            // The reader learns the reason and tells all who wait.
            return;
        }
        if let Some(written) = written {
            let _ = written.send(());
        }
    }
}

/// Ends when the socket does, or when the writer has gone and nobody waits for an answer any more.
async fn read_answers(
    mut socket: OwnedReadHalf,
    mut expected: mpsc::UnboundedReceiver<Expected>,
    ended: Arc<OnceLock<String>>,
) {
    let mut buffer = BytesMut::with_capacity(64 << 10);
    let reason = loop {
        match next_frame(&mut socket, &mut buffer).await {
            Ok(Some(frame)) => {
                let Ok(Expected { header, answer }) = expected.try_recv() else {
                    break "it sent an answer that nobody asked for".to_owned();
                };
                let response = wire::decode_response(header.api_key, header.api_version, frame);
                let response = match response {
                    Ok((id, _)) if id != header.correlation_id => {
                        break format!("it answered request {id}, not {}", header.correlation_id);
                    }
                    other => other.map(|(_, response)| response),
                };
                let _ = answer.send(response);
            }
            Ok(None) => break String::new(),
            Err(error) => break error.to_string(),
        }
    };
    // Before `expected` is dropped, which wakes everyone who waits.
    let _ = ended.set(reason);
}

async fn next_frame(
    socket: &mut OwnedReadHalf,
    buffer: &mut BytesMut,
) -> io::Result<Option<BytesMut>> {
    loop {
        let frame = wire::frame::cut(buffer, wire::frame::DEFAULT_MAX_BYTES).map_err(|error| {
            let reason = match buffer.starts_with(b"HTTP") {
                true => "it answers in HTTP, not in Kafka's protocol".to_owned(),
                false => format!("what it sent is not Kafka's protocol: {error}"),
            };
            io::Error::new(io::ErrorKind::InvalidData, reason)
        });
        if let Some(frame) = frame? {
            return Ok(Some(frame));
        }
        buffer.reserve(64 << 10);
        if socket.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}
