//! A small broker that speaks Kafka's protocol, built around the organs of the labs.
//!
//! One request is one walk down this page, and answers come back through one door:
//!
//! ```text
//! listen → connection (frames in, one task a client) → wire (decode) → validate
//!    → engine (the one task that owns a node, broker or coordinator; the only clock)
//!       → broker (no clock, no socket, no thread)
//!            produce → partition → offset-log → acks, answered or parked until the watermark has come
//!            fetch → partition → acks (the high watermark) → offset-log, or parked
//!            create a topic → forwarded → coordinator → metadata log → read by every broker → topics
//!            replica: what another broker leads is fetched from there
//!            join a group → groups → consumer-groups → records of __consumer_offsets, answered at the watermark
//!    → engine delivers by ticket → connection writes, records straight from their files
//!             and sends to other nodes → peers
//!
//! beside it, a client like any other: monitor (groups and logs, once a second) → http (dashboard, metrics, Burrow's answers)
//! ```
//!
//! The modules stand in the order in which a request meets them.
//!
//! What is deliberately absent: a lock around a node, a thread of our own, a copy of the records
//! between the socket and the file, and a look inside a batch on its way.

pub mod cli; // the commands, one a file

// From the socket to the engine.
pub mod listen; // a task for each client

pub mod connection; // frames in, answers out in order

pub mod validate; // a batch's header and checksum

pub mod engine; // turns, the clock, slow jobs, the way to other nodes

// What decides.
pub mod node; // inputs and outputs, the same for all

pub mod broker; // what serves clients, and follows other brokers

pub mod coordinator; // which topics and brokers there are, who leads; the metadata log

pub mod configs; // the settings, one table

pub mod numbers; // what is counted

pub mod labs; // whose organs, and the fence around them

// What is below and beside.
pub mod disk; // open files, small files, syncs

pub mod records; // a look inside a batch, for lookups and commands

pub mod client; // the protocol from the other end, for the commands

pub mod monitor; // how far behind groups are: lab 5's organ

pub mod http; // pages for people, numbers for Prometheus, Burrow's answers
