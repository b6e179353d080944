//! The list of APIs, and the way from a frame to a request and from a response to a frame.

use bytes::{BufMut, BytesMut};

use crate::alter_partition::{AlterPartitionRequest, AlterPartitionResponse};
use crate::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
use crate::broker_lifecycle::{
    BrokerHeartbeatRequest, BrokerHeartbeatResponse, BrokerRegistrationRequest,
    BrokerRegistrationResponse,
};
use crate::cluster::{DescribeClusterRequest, DescribeClusterResponse};
use crate::committed_offsets::{
    OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest, OffsetDeleteResponse,
    OffsetFetchRequest, OffsetFetchResponse,
};
use crate::configs::{
    AlterConfigsRequest, AlterConfigsResponse, DescribeConfigsRequest, DescribeConfigsResponse,
    IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
};
use crate::delete_records::{DeleteRecordsRequest, DeleteRecordsResponse};
use crate::elect_leaders::{ElectLeadersRequest, ElectLeadersResponse};
use crate::envelope::{EnvelopeRequest, EnvelopeResponse};
use crate::error_codes::ErrorCode;
use crate::fetch::{FetchRequest, FetchResponse};
use crate::fetch_snapshot::{FetchSnapshotRequest, FetchSnapshotResponse};
use crate::group_admin::{
    DeleteGroupsRequest, DeleteGroupsResponse, DescribeGroupsRequest, DescribeGroupsResponse,
    ListGroupsRequest, ListGroupsResponse,
};
use crate::groups::{
    FindCoordinatorRequest, FindCoordinatorResponse, HeartbeatRequest, HeartbeatResponse,
    JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, LeaveGroupResponse, SyncGroupRequest,
    SyncGroupResponse,
};
use crate::list_offsets::{ListOffsetsRequest, ListOffsetsResponse};
use crate::log_dirs::{DescribeLogDirsRequest, DescribeLogDirsResponse};
use crate::metadata::{MetadataRequest, MetadataResponse};
use crate::offset_for_leader_epoch::{OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse};
use crate::primitives::{
    Count, Errors, Field, Frame, Gap, Malformed, Message, Sink, Source, Version, Write,
};
use crate::produce::{ProduceRequest, ProduceResponse};
use crate::producer_id::{
    AllocateProducerIdsRequest, AllocateProducerIdsResponse, InitProducerIdRequest,
    InitProducerIdResponse,
};
use crate::topics::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreateTopicsRequest, CreateTopicsResponse,
    DeleteTopicsRequest, DeleteTopicsResponse,
};

/// An API: a key, its request, and the response that answers it.
///
/// A client can be written once for all: `call<R: Api>(request: R) -> R::Response`.
pub trait Api: Message + Into<Request> {
    const KEY: i16;
    type Response: Message + Into<Response>;
    /// The response within the enum, if it is the one that answers this API.
    fn response(response: Response) -> Option<Self::Response>;
}

/// Where a request comes in, as Kafka's schemas have it: `"listeners": ["broker", "controller"]`.
///
/// A broker takes its clients' and the other brokers' requests, the controller those of brokers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    Broker,
    Controller,
}

impl Listener {
    /// What is taken here, and what an ApiVersions answer from here lists.
    pub fn apis(self) -> impl Iterator<Item = &'static ApiRange> {
        SUPPORTED.iter().filter(move |range| range.listeners.contains(&self))
    }

    pub fn takes(self, api_key: i16) -> bool {
        self.apis().any(|range| range.key == api_key)
    }
}

/// A row of the table of APIs: the versions spoken, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiRange {
    pub key: i16,
    pub name: &'static str,
    /// The least version advertised.
    pub min: i16,
    pub max: i16,
    /// The least version read: `min`, but for Produce, which is advertised from 0 on.
    pub min_read: i16,
    pub listeners: &'static [Listener],
}

/// `key => Name(Request, Response) on [listeners];` A minimum after `from` is advertised in place
/// of the table's. What is on no listener is read and written, but no node takes it yet, and none
/// says it does.
macro_rules! apis {
    ($(
        $key:literal => $name:ident($request:ident, $response:ident)
        on [$($listener:ident),*] $(from $min:literal)?;
    )*) => {
        /// Any request we can read and write.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Request { $( $name($request), )* }

        /// Any response we can read and write.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Response { $( $name($response), )* }

        /// The one table of versions: what is spoken in a cluster of this kit, on whatever
        /// listener. What one of them takes is [`Listener::apis`].
        pub const SUPPORTED: &[ApiRange] = &[$(
            ApiRange {
                key: $key,
                name: stringify!($name),
                min: {
                    let _min = *<$request as Message>::VERSIONS.start();
                    $( let _min = $min; )?
                    _min
                },
                max: *<$request as Message>::VERSIONS.end(),
                min_read: *<$request as Message>::VERSIONS.start(),
                listeners: &[$(Listener::$listener),*],
            },
        )*];

        // A request and its response are of one table page: the same versions.
        const _: () = {$(
            let (request, response) = (<$request>::VERSIONS, <$response>::VERSIONS);
            assert!(*request.start() == *response.start() && *request.end() == *response.end());
        )*};

        $(
            impl Api for $request {
                const KEY: i16 = $key;
                type Response = $response;

                fn response(response: Response) -> Option<$response> {
                    match response {
                        Response::$name(response) => Some(response),
                        _ => None,
                    }
                }
            }

            impl From<$request> for Request {
                fn from(request: $request) -> Request {
                    Request::$name(request)
                }
            }

            impl From<$response> for Response {
                fn from(response: $response) -> Response {
                    Response::$name(response)
                }
            }
        )*

        impl Request {
            pub fn api_key(&self) -> i16 {
                match self { $( Request::$name(_) => $key, )* }
            }

            /// The body alone. `key` and `version` must be of [`SUPPORTED`].
            pub fn read<S: Source>(
                key: i16,
                version: i16,
                source: &mut S,
            ) -> Result<Request, Malformed> {
                match key {
                    $( $key => read_beginning::<$request, S>(version, source).map(Request::$name), )*
                    _ => unreachable!("only keys of SUPPORTED come here"),
                }
            }

            /// The body alone.
            pub fn write<S: Sink>(&self, version: i16, sink: &mut S) {
                match self { $( Request::$name(request) => write(request, version, sink), )* }
            }
        }

        impl Response {
            pub fn api_key(&self) -> i16 {
                match self { $( Response::$name(_) => $key, )* }
            }

            /// The body alone. `key` and `version` must be of [`SUPPORTED`].
            pub fn read<S: Source>(
                key: i16,
                version: i16,
                source: &mut S,
            ) -> Result<Response, Malformed> {
                match key {
                    $( $key => read::<$response, S>(version, source).map(Response::$name), )*
                    _ => unreachable!("only keys of SUPPORTED come here"),
                }
            }

            /// The body alone.
            pub fn write<S: Sink>(&self, version: i16, sink: &mut S) {
                match self { $( Response::$name(response) => write(response, version, sink), )* }
            }

            /// Every error code in it that this version has, in the order of the wire.
            pub fn error_codes(&self, version: i16) -> Vec<ErrorCode> {
                let mut errors = Errors::default();
                self.write(version, &mut errors);
                errors.0
            }
        }

        /// Whether the table of `key` can read `version`, and whether that version is flexible.
        fn flexible(key: i16, version: i16) -> Option<bool> {
            match key {
                $( $key if <$request>::VERSIONS.contains(&version) => {
                    Some(<$request>::is_flexible(version))
                } )*
                _ => None,
            }
        }
    };
}

apis! {
    0 => Produce(ProduceRequest, ProduceResponse) on [Broker] from 0;
    1 => Fetch(FetchRequest, FetchResponse) on [Broker, Controller];
    2 => ListOffsets(ListOffsetsRequest, ListOffsetsResponse) on [Broker];
    3 => Metadata(MetadataRequest, MetadataResponse) on [Broker];
    8 => OffsetCommit(OffsetCommitRequest, OffsetCommitResponse) on [Broker];
    9 => OffsetFetch(OffsetFetchRequest, OffsetFetchResponse) on [Broker];
    10 => FindCoordinator(FindCoordinatorRequest, FindCoordinatorResponse) on [Broker];
    11 => JoinGroup(JoinGroupRequest, JoinGroupResponse) on [Broker];
    12 => Heartbeat(HeartbeatRequest, HeartbeatResponse) on [Broker];
    13 => LeaveGroup(LeaveGroupRequest, LeaveGroupResponse) on [Broker];
    14 => SyncGroup(SyncGroupRequest, SyncGroupResponse) on [Broker];
    15 => DescribeGroups(DescribeGroupsRequest, DescribeGroupsResponse) on [Broker];
    16 => ListGroups(ListGroupsRequest, ListGroupsResponse) on [Broker];
    18 => ApiVersions(ApiVersionsRequest, ApiVersionsResponse) on [Broker, Controller];
    19 => CreateTopics(CreateTopicsRequest, CreateTopicsResponse) on [Broker, Controller];
    20 => DeleteTopics(DeleteTopicsRequest, DeleteTopicsResponse) on [Broker, Controller];
    21 => DeleteRecords(DeleteRecordsRequest, DeleteRecordsResponse) on [Broker];
    22 => InitProducerId(InitProducerIdRequest, InitProducerIdResponse) on [Broker];
    23 => OffsetForLeaderEpoch(OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse)
        on [Broker];
    32 => DescribeConfigs(DescribeConfigsRequest, DescribeConfigsResponse) on [Broker, Controller];
    33 => AlterConfigs(AlterConfigsRequest, AlterConfigsResponse) on [Broker, Controller];
    35 => DescribeLogDirs(DescribeLogDirsRequest, DescribeLogDirsResponse) on [Broker];
    37 => CreatePartitions(CreatePartitionsRequest, CreatePartitionsResponse)
        on [Broker, Controller];
    42 => DeleteGroups(DeleteGroupsRequest, DeleteGroupsResponse) on [Broker];
    43 => ElectLeaders(ElectLeadersRequest, ElectLeadersResponse) on [Broker, Controller];
    44 => IncrementalAlterConfigs(IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse)
        on [Broker, Controller];
    47 => OffsetDelete(OffsetDeleteRequest, OffsetDeleteResponse) on [Broker];
    56 => AlterPartition(AlterPartitionRequest, AlterPartitionResponse) on [Controller];
    58 => Envelope(EnvelopeRequest, EnvelopeResponse) on [Controller];
    59 => FetchSnapshot(FetchSnapshotRequest, FetchSnapshotResponse) on [Controller];
    60 => DescribeCluster(DescribeClusterRequest, DescribeClusterResponse) on [Broker, Controller];
    62 => BrokerRegistration(BrokerRegistrationRequest, BrokerRegistrationResponse) on [Controller];
    63 => BrokerHeartbeat(BrokerHeartbeatRequest, BrokerHeartbeatResponse) on [Controller];
    67 => AllocateProducerIds(AllocateProducerIdsRequest, AllocateProducerIdsResponse)
        on [Controller];
}

/// The row of the table for a key.
pub fn supported(api_key: i16) -> Option<&'static ApiRange> {
    SUPPORTED.iter().find(|range| range.key == api_key)
}

fn read<M: Message, S: Source>(version: i16, source: &mut S) -> Result<M, Malformed> {
    read_beginning(version, source).and_then(|message: M| {
        source.finish().map(|()| message).map_err(|malformed| malformed.inside(M::NAME))
    })
}

/// A request may be followed by more bytes, as in Kafka: librdkafka 2.x asks for the metadata of all
/// topics with three too many.
fn read_beginning<M: Message, S: Source>(version: i16, source: &mut S) -> Result<M, Malformed> {
    M::read(source, Version::of::<M>(version)).map_err(|malformed| malformed.inside(M::NAME))
}

fn write<M: Message, S: Sink>(message: &M, version: i16, sink: &mut S) {
    message.write(sink, Version::of::<M>(version));
}

/// What stands before every request.
///
/// Version 1 of the header, and version 2 for flexible requests, which adds tagged fields but
/// leaves the client id as it was, so that a broker can read it of a version it does not know.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestHeader {
    pub api_key: i16,
    pub api_version: i16,
    /// The client's number for this request; the response carries it back.
    pub correlation_id: i32,
    pub client_id: Option<String>,
}

impl RequestHeader {
    fn read(frame: &mut Frame) -> Result<Self, Malformed> {
        let v = Version { number: 1, flexible: false, nullable: true };
        let mut header = RequestHeader::default();
        let mut fields = || -> Result<(), (&str, Malformed)> {
            header.api_key = i16::read(frame, v).map_err(|at| ("api_key", at))?;
            header.api_version = i16::read(frame, v).map_err(|at| ("api_version", at))?;
            header.correlation_id = i32::read(frame, v).map_err(|at| ("correlation_id", at))?;
            header.client_id = Field::read(frame, v).map_err(|at| ("client_id", at))?;
            Ok(())
        };
        match fields() {
            Ok(()) => Ok(header),
            Err((field, malformed)) => Err(malformed.inside(field).inside("RequestHeader")),
        }
    }

    fn write<S: Sink>(&self, flexible: bool, sink: &mut S) {
        let v = Version { number: 1, flexible: false, nullable: true };
        self.api_key.write(sink, v);
        self.api_version.write(sink, v);
        self.correlation_id.write(sink, v);
        self.client_id.write(sink, v);
        if flexible {
            sink.tags(0);
        }
    }
}

/// Why a frame did not become a request or a response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The header was read, so the broker can still answer: `UNSUPPORTED_VERSION`, or hang up.
    #[error("API key {} (version {}) is not one of those spoken here",
        header.api_key, header.api_version)]
    UnsupportedKey { header: RequestHeader },
    /// The same; an ApiVersions request gets a version 0 answer with error 35.
    #[error("{} version {}, expected {} to {}",
        range.name, header.api_version, range.min_read, range.max)]
    UnsupportedVersion { header: RequestHeader, range: &'static ApiRange },
    /// The bytes are not what the table says. The connection should close.
    #[error("{malformed}")]
    Malformed { header: Option<RequestHeader>, malformed: Malformed },
}

impl DecodeError {
    /// What is known of the request: all but the body, or nothing.
    pub fn header(&self) -> Option<&RequestHeader> {
        match self {
            DecodeError::UnsupportedKey { header } => Some(header),
            DecodeError::UnsupportedVersion { header, .. } => Some(header),
            DecodeError::Malformed { header, .. } => header.as_ref(),
        }
    }
}

/// Reads a request that came in on this listener from its frame (without the four bytes of length).
/// Records are split off it. What is taken on other listeners only is as good as unknown.
pub fn decode_request_on(
    listener: Listener,
    frame: BytesMut,
) -> Result<(RequestHeader, Request), DecodeError> {
    decode(frame, |api_key| listener.takes(api_key))
}

/// Reads any request there is, wherever it came from: for tests and tools.
pub fn decode_request(frame: BytesMut) -> Result<(RequestHeader, Request), DecodeError> {
    decode(frame, |_| true)
}

fn decode(
    frame: BytesMut,
    takes: impl Fn(i16) -> bool,
) -> Result<(RequestHeader, Request), DecodeError> {
    let mut frame = Frame::new(frame);
    let header = match RequestHeader::read(&mut frame) {
        Ok(header) => header,
        Err(malformed) => return Err(DecodeError::Malformed { header: None, malformed }),
    };
    if !takes(header.api_key) {
        return Err(DecodeError::UnsupportedKey { header });
    }
    let Some(flexible) = flexible(header.api_key, header.api_version) else {
        return Err(unsupported(header));
    };
    let body = skip_tags(flexible, &mut frame)
        .map_err(|malformed| malformed.inside("RequestHeader"))
        .and_then(|()| Request::read(header.api_key, header.api_version, &mut frame));
    match body {
        Ok(request) => Ok((header, request)),
        Err(malformed) => Err(DecodeError::Malformed { header: Some(header), malformed }),
    }
}

/// Reads a response from a frame (without its four bytes of length): the correlation id and the
/// body. Key and version are those of the request it answers.
///
/// An ApiVersions response with error 35 is read as version 0, whatever was asked.
pub fn decode_response(
    api_key: i16,
    version: i16,
    frame: BytesMut,
) -> Result<(i32, Response), DecodeError> {
    let refused = api_key == ApiVersionsRequest::KEY
        && frame.get(4..6) == Some(&ErrorCode::UNSUPPORTED_VERSION.0.to_be_bytes());
    let version = if refused { 0 } else { version };
    let mut frame = Frame::new(frame);
    let mut header = RequestHeader { api_key, api_version: version, ..Default::default() };
    let Some(flexible) = flexible(api_key, version) else { return Err(unsupported(header)) };

    let v = Version { number: 0, flexible: false, nullable: false };
    let body = i32::read(&mut frame, v)
        .map_err(|malformed| malformed.inside("correlation_id"))
        .and_then(|correlation_id| {
            header.correlation_id = correlation_id;
            skip_tags(flexible && api_key != ApiVersionsRequest::KEY, &mut frame)
        })
        .map_err(|malformed| malformed.inside("ResponseHeader"))
        .and_then(|()| Response::read(api_key, version, &mut frame));
    match body {
        Ok(response) => Ok((header.correlation_id, response)),
        Err(malformed) => Err(DecodeError::Malformed { header: Some(header), malformed }),
    }
}

fn unsupported(header: RequestHeader) -> DecodeError {
    match supported(header.api_key) {
        Some(range) => DecodeError::UnsupportedVersion { header, range },
        None => DecodeError::UnsupportedKey { header },
    }
}

/// A flexible header ends in tagged fields; we know none.
fn skip_tags(flexible: bool, frame: &mut Frame) -> Result<(), Malformed> {
    match flexible {
        true => frame.tagged(&mut |_, _| Ok(false)),
        false => Ok(()),
    }
}

/// A frame ready to be sent, with its four bytes of length: `bytes`, with a file's bytes at each
/// gap. The length counts the gaps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Encoded {
    pub bytes: BytesMut,
    /// In order. Empty, unless the response carries [`Records::There`](crate::Records).
    pub gaps: Vec<Gap>,
}

/// Writes a response as the frame that answers the request of this header.
///
/// # Panics
/// If the table has no such version, or the response belongs to another API: the header must be
/// that of a request that was read (or, for a refused ApiVersions, say version 0).
pub fn encode_response(header: &RequestHeader, response: &Response) -> Encoded {
    check_writable(header, response.api_key());
    encode(&(header, response))
}

/// Writes a request as a frame, with its four bytes of length. For clients.
///
/// # Panics
/// If the table has no such version, or the header names another API than the request.
pub fn encode_request(header: &RequestHeader, request: &Request) -> BytesMut {
    check_writable(header, request.api_key());
    let Encoded { bytes, gaps } = encode(&(header, request));
    assert!(gaps.is_empty(), "a request's records must be here");
    bytes
}

fn check_writable(header: &RequestHeader, api_key: i16) {
    let RequestHeader { api_key: key, api_version: version, .. } = *header;
    assert_eq!(key, api_key, "the header must name the API of its body");
    assert!(flexible(key, version).is_some(), "no table has version {version} of API {key}");
}

/// A header and a body.
trait Outgoing {
    fn write<S: Sink>(&self, sink: &mut S);
}

impl Outgoing for (&RequestHeader, &Request) {
    fn write<S: Sink>(&self, sink: &mut S) {
        let (header, request) = self;
        header.write(flexible(header.api_key, header.api_version) == Some(true), sink);
        request.write(header.api_version, sink);
    }
}

impl Outgoing for (&RequestHeader, &Response) {
    fn write<S: Sink>(&self, sink: &mut S) {
        let (header, response) = self;
        sink.put(&header.correlation_id.to_be_bytes());
        let flexible = flexible(header.api_key, header.api_version) == Some(true);
        if flexible && header.api_key != ApiVersionsRequest::KEY {
            sink.tags(0);
        }
        response.write(header.api_version, sink);
    }
}

/// Counts, reserves once, writes.
fn encode(outgoing: &impl Outgoing) -> Encoded {
    let mut count = Count::default();
    outgoing.write(&mut count);
    let length = i32::try_from(count.size).expect("a frame is shorter than 2 GiB");

    let mut sink = Write::default();
    sink.bytes.reserve(4 + count.size - count.gaps);
    sink.bytes.put_i32(length);
    outgoing.write(&mut sink);
    Encoded { bytes: sink.bytes, gaps: sink.gaps }
}
