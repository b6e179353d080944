//! Lab 2, partitions: who gets which record, and in what order?
//!
//! A topic is several logs. For every record somebody must say which of them takes it: the producer
//! does, before anything is sent. And somebody must say on which brokers each of them lies. This
//! crate is those decisions. It has no clock, no network, no thread and no randomness: where chance
//! is wanted, a random number is an argument.
//!
//! `src/` is yours: every file has a step. `given/` is there to be read and called.

#![allow(dead_code, reason = "some of what is given is called by the steps only")]

// Yours, in the order in which a topic needs them.
mod key; // step 1: a record with a key

mod sticky; // step 2: a record without one

mod moved; // step 3: what more partitions do to the keys

mod spread; // step 4: on which brokers partitions lie

// Given.
#[path = "../../../labs/2-partitions/given/murmur2.rs"]
mod murmur2; // Kafka's hash of a key

#[path = "../../../labs/2-partitions/given/producer.rs"]
mod producer; // what a producer does with each record

#[path = "../../../labs/2-partitions/given/load.rs"]
mod load; // how much each broker carries

#[path = "../../../labs/2-partitions/given/reader.rs"]
mod reader; // the order in which a reader gets the records

#[path = "../../../labs/2-partitions/given/error.rs"]
mod error;

pub use error::Error;
pub use key::for_key;
pub use load::Load;
pub use moved::moved;
pub use murmur2::murmur2;
pub use producer::{Partitioner, Sticky};
pub use reader::{Seen, by_time, in_turn, overtaken, overtaken_by_key};
pub use spread::spread;
