//! A small broker that speaks Kafka's protocol, built around the organs of the labs.
//!
//! One request is one walk down this page, and answers come back through one door:
//!
//! ```text
//! listen → connection (frames, one task a client) → wire (decode) → validate
//!    → engine (the one task that owns the Broker; the only clock)
//!       → broker (no clock, no socket, no thread) → partition → the organs
//!    → engine delivers by ticket → connection writes
//! ```
//!
//! The modules stand in the order in which a request meets them.

pub mod cli;

pub mod listen;

pub mod connection;

pub mod validate;

pub mod engine;

pub mod broker;

pub mod coordinator;

pub mod labs;

pub mod disk;

pub mod client;

pub mod records;
