//! Lab 4, consumer-groups: who reads what, and who notices a death?
//!
//! Consumers that share a group share the work: each partition is read by one of them. Who reads
//! which, who notices that one has died, and from where the next one goes on: this crate is what a
//! group's coordinator knows, and what its leader works out. It has no clock, no network, no thread
//! and no randomness: time is an argument, ids come in, and the records are elsewhere.
//!
//! `src/` is yours: every file has a step. `given/` is there to be read and called.

#![allow(dead_code, reason = "some of what is given is called by the steps only")]

// Yours. First what the leader of a group works out: who reads what.
mod range; // step 1: each topic in ranges

mod round_robin; // step 2: one partition after the other

// Then what the coordinator knows, in the order in which a member meets it.
mod table; // step 3: what happens in which state

mod round; // step 4: all join, one plans, all are told

mod death; // step 5: who is not heard any more

mod commit; // step 6: where the next one goes on

// Given.
#[path = "../given/plan.rs"]
mod plan; // plans, and who wants what

#[path = "../given/sticky.rs"]
mod sticky; // a plan that moves little

#[path = "../given/state.rs"]
mod state; // states, events, and what can come of them

#[path = "../given/group.rs"]
mod group; // a group, and what the broker asks of it

#[path = "../given/joining.rs"]
mod joining; // what a join asks before the table does

#[path = "../given/rounds.rs"]
mod rounds; // rounds and timers, and who calls your steps

#[path = "../given/member.rs"]
mod member; // what a group knows of one member

#[path = "../given/join.rs"]
mod join; // what comes in, and what goes out

#[path = "../given/metadata.rs"]
mod metadata; // how a group is saved, and shown

#[path = "../given/config.rs"]
mod config; // Kafka's settings

#[path = "../given/error.rs"]
mod error;

pub use commit::next_offset;
pub use config::Config;
pub use error::Error;
pub use group::Group;
pub use join::{Caller, Join, Listed, Next};
pub use member::Member;
pub use metadata::{MemberMetadata, Metadata};
pub use plan::Plan;
pub use range::range;
pub use round_robin::round_robin;
pub use state::{Act, Event, State};
pub use sticky::{cooperative, sticky};
pub use table::act;
