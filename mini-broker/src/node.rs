//! A node of the cluster, broker or coordinator, as a state machine: inputs go in with the time, outputs
//! come out. It owns no clock, no socket, no thread and no randomness but a seed; it reaches the disk
//! through [`Files`]. So the order of events is a list, and the same list gives the same outputs.

mod messages; // what goes in and what comes out

mod errors; // from what went wrong to Kafka's codes, one table

pub mod files; // the disk, as a trait

pub mod meta; // whose a data directory is

pub use errors::Refused;
pub use files::Files;
pub use messages::{
    Answer, Call, Client, Done, Event, Input, Job, Located, Measured, Now, Output, Peer, PeerGone,
    Ticket,
};

use std::io;

use crate::numbers::Numbers;

/// Whoever drives a node calls [`Node::handle`] for each input, delivers the outputs, and then calls
/// [`Node::tick`], at the latest when [`Node::deadline`] says so. A tick too early does nothing.
pub trait Node: Send + 'static {
    /// Takes one input into account.
    fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>);
    /// When `tick` has something to do, in `mono_ms`.
    fn deadline(&self) -> Option<u64>;
    /// Does what is due and releases what is parked.
    fn tick(&mut self, now: Now, out: &mut Vec<Output>);
    /// What it counts, as it is now.
    fn numbers(&mut self, now: Now, out: &mut Vec<Output>) -> Numbers;
    /// Is told to stop. It goes on until it says [`Output::Stopped`]: there may be something to hand over
    /// first. That takes some seconds at most.
    fn begin_stop(&mut self, now: Now, out: &mut Vec<Output>);
    /// A clean stop: all that was written reaches the disk, and the next start need not look.
    fn stop(&mut self) -> io::Result<()>;
}
