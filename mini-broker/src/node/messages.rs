//! What goes into a node, and what comes out of it: values that a list can hold, a simulator make and a
//! test compare.

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use wire::{Request, Response};

use crate::broker::compact::{Compacted, Plan};
use crate::coordinator::Resource;
use crate::validate::Verdicts;

/// The time, twice: `mono_ms` for waiting, `wall_ms` for timestamps and retention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since some start; it never goes back.
    pub mono_ms: u64,
    /// Milliseconds since 1970, as the system's clock has them.
    pub wall_ms: u64,
}

/// Which request of which connection. Every ticket is answered exactly once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket {
    pub connection: u32,
    pub request: u32,
}

/// Who asks, and in which version of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    pub id: Option<String>,
    pub host: IpAddr,
    pub api_version: i16,
}

/// A job, or a request to another node, that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call(pub u64);

/// Another node of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    Coordinator,
    /// A broker, and where it listens.
    Broker {
        id: i32,
        host: Arc<str>,
        port: u16,
    },
}

/// No answer of a peer: there is no connection, or it was lost, or nothing came for too long. Whether
/// the request was done is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerGone(pub String);

#[derive(Debug)]
pub enum Input {
    /// A request; what its batches' headers and checksums are worth was found out before.
    Request { ticket: Ticket, client: Client, request: Request, verdicts: Verdicts },
    /// The connection is closed: nothing may be parked for it any more.
    Gone { connection: u32 },
    /// A job has ended.
    Done { call: Call, done: io::Result<Done> },
    /// A peer has answered, or will not.
    Reply { call: Call, reply: Result<Response, PeerGone> },
}

impl Input {
    /// Whether no file is renamed, cut or removed for it. Before any other input, answers that name
    /// bytes of files must be on their way.
    pub fn leaves_files_alone(&self) -> bool {
        match self {
            Input::Request { request, .. } => matches!(
                request,
                Request::Produce(_)
                    | Request::Fetch(_)
                    | Request::ListOffsets(_)
                    | Request::Metadata(_)
                    | Request::OffsetCommit(_)
                    | Request::OffsetFetch(_)
                    | Request::JoinGroup(_)
                    | Request::SyncGroup(_)
                    | Request::Heartbeat(_)
                    | Request::ApiVersions(_)
            ),
            Input::Gone { .. } => true,
            Input::Done { .. } | Input::Reply { .. } => false,
        }
    }
}

#[derive(Debug, PartialEq)]
pub enum Output {
    Answer {
        ticket: Ticket,
        answer: Answer,
    },
    Do {
        call: Call,
        job: Job,
    },
    /// A request to another node; what comes of it comes back as [`Input::Reply`].
    Send {
        call: Call,
        to: Peer,
        request: Request,
    },
    Tell(Event),
    /// From now on, batches for these topics are looked into before they come here: every record
    /// must have a key.
    Keyed(Arc<BTreeSet<String>>),
    /// From now on clients may come.
    Ready,
    /// This node can do nothing any more, for this reason.
    Stop(String),
    /// It was told to stop, and may end now.
    Stopped,
}

#[derive(Debug, PartialEq)]
pub enum Answer {
    /// `slices[n]` is what the body's `Records::There { slot: n, .. }` stands for.
    Response { body: Response, slices: Vec<Located> },
    /// acks=0: the client does not listen.
    Nothing,
    /// Close the connection, for this reason.
    HangUp(String),
}

/// Bytes of a segment's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    pub dir: Arc<str>,
    /// The segment's base offset, which names its file.
    pub segment: u64,
    pub position: u64,
    pub len: u32,
}

/// Slow work, done elsewhere; its end comes back as [`Input::Done`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// Everything written to the directory so far, to the disk: its log is then safe below `to`.
    Sync {
        dir: String,
        to: u64,
    },
    Remove {
        dir: String,
    },
    Checkpoint {
        name: String,
        text: String,
    },
    /// A snapshot of the directory's log: the whole file under its name, and on the disk, before every
    /// other snapshot there is removed.
    Snapshot {
        dir: String,
        name: String,
        bytes: Bytes,
    },
    /// How large the logs in these directories are, and how much room is left.
    Measure {
        dirs: Vec<String>,
    },
    /// A pass of compaction. It touches no file that is there.
    Compact {
        dir: String,
        plan: Plan,
    },
    /// The directory's names to the disk, then the files removed that wait for it (see
    /// [`litter`](crate::broker::compact::swap::litter)). A directory that is gone is swept.
    Sweep {
        dir: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    Synced { to: u64 },
    Removed,
    Written,
    Compacted(Compacted),
    Swept,
    Measured(Measured),
}

/// What lies in the data directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measured {
    /// The data directory's absolute path.
    pub log_dir: String,
    /// How large the volume is on which it lies.
    pub total_bytes: u64,
    /// How much of it can still be filled.
    pub usable_bytes: u64,
    /// The bytes of the `.log` files in each directory, in the order that was asked for.
    pub sizes: Vec<u64>,
}

/// What a person watching the broker may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    TopicCreated {
        topic: String,
    },
    TopicDeleted {
        topic: String,
    },
    /// A broker is one of the cluster, or one of it again.
    BrokerRegistered {
        id: i32,
        epoch: i64,
    },
    /// A broker takes part from now on.
    BrokerUnfenced {
        id: i32,
    },
    /// A broker takes no part any more, for this reason.
    BrokerFenced {
        id: i32,
        why: &'static str,
    },
    /// Partitions that others led in the meantime are led again by whom they are to be led by.
    LeadersReturned {
        partitions: usize,
    },
    /// The coordinator does not answer. Told once, until it does.
    CoordinatorAway {
        why: String,
        /// Clients are served all the same.
        serves: bool,
    },
    CoordinatorBack,
    /// Bytes behind the last whole batch were cut off when the log was opened.
    Cut {
        partition: String,
        bytes: u64,
    },
    SegmentsDeleted {
        partition: String,
        count: usize,
        log_start: u64,
    },
    /// DeleteRecords moved the start of a log.
    RecordsDeleted {
        partition: String,
        log_start: u64,
    },
    /// Leaders want other in-sync sets, and the coordinator does not agree. Told once, until it does.
    InSyncNotAgreed {
        partitions: usize,
        why: String,
    },
    /// A follower's log parted from its leader's: what the two did not share is gone.
    Truncated {
        partition: String,
        from: u64,
        to: u64,
    },
    /// A follower has nothing that its leader still has: it begins where the leader's log starts.
    BegunAnew {
        partition: String,
        at: u64,
    },
    /// Settings were changed; the new ones count from now on.
    SettingsChanged {
        resource: Resource,
    },
    /// Only the newest record of each key is left: of `before` bytes, `after`. Batches that cannot
    /// be read stay as they are.
    Compacted {
        partition: String,
        before: u64,
        after: u64,
        unreadable: u64,
    },
    /// A round of a group is over. Without members, the last one has left.
    Generation {
        group: String,
        generation: i32,
        members: usize,
        assignor: String,
    },
    /// This broker coordinates so many groups more from now on.
    GroupsLoaded {
        groups: usize,
    },
    /// Records of groups that cannot be read: what they said is not known.
    GroupsUnreadable {
        partition: String,
        records: usize,
    },
    /// Told once: it is tried again, and again if need be.
    NotCompacted {
        partition: String,
        why: String,
    },
    /// An organ panicked: what has to do without it, and what comes of that.
    OrganBroke {
        lab: &'static str,
        what: String,
        so: &'static str,
        broken: crate::labs::Broken,
    },
    /// The disk failed a partition.
    Storage {
        partition: String,
        why: String,
        offline: bool,
    },
    /// A directory of a topic that was deleted was found, and is removed.
    LeftOver {
        dir: String,
    },
    /// A directory that is not a partition of this cluster was left alone; the name that a partition
    /// needs was taken from it.
    Stray {
        dir: String,
    },
    /// What the metadata log says below this offset stands in a snapshot now.
    SnapshotWritten {
        end: u64,
    },
    /// A small file could not be written; it is tried again.
    CheckpointFailed {
        what: String,
        why: String,
    },
    JobFailed {
        job: Job,
        why: String,
    },
}

impl<R: Into<Response>> From<R> for Answer {
    fn from(body: R) -> Self {
        Answer::Response { body: body.into(), slices: Vec::new() }
    }
}
