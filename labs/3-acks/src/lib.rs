//! Lab 3, acks: when is a record safe?
//!
//! A record is safe when enough machines have it. Which machines count, how many are enough, and
//! who leads when one dies: the leader of a partition must know. This crate is what it knows. It
//! has no clock, no network, no thread and no randomness: time is an argument, and the records are
//! elsewhere. Here are only offsets.
//!
//! `src/` is yours: every file has a step. `given/` is there to be read and called.

#![allow(dead_code, reason = "some of what is given is called by the steps only")]

// Yours, in the order in which a batch meets them.
mod answer; // step 1: when the producer hears of it

mod watermark; // step 2: what every replica in sync has

mod in_sync; // step 3: who is in sync

mod min_in_sync; // step 4: how many must be

mod election; // step 5: who leads next, and who does not any more

// Given.
#[path = "../given/leader.rs"]
mod leader; // what a leader knows, and who calls your steps

#[path = "../given/follower.rs"]
mod follower; // what a leader knows of one follower

#[path = "../given/config.rs"]
mod config; // acks, and Kafka's settings

#[path = "../given/error.rs"]
mod error;

#[path = "../given/epochs.rs"]
mod epochs; // which leader wrote what, and where two logs part

#[path = "../given/producers.rs"]
mod producers; // batches that come twice

pub use answer::Answer;
pub use config::{Acks, Config};
pub use election::elect;
pub use epochs::Epochs;
pub use error::Refused;
pub use follower::Follower;
pub use leader::Leader;
pub use producers::{OutOfOrder, Producer, Producers, Sequence, Stored};
