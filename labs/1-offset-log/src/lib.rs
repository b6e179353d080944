//! Lab 1, the offset log: where does a record live?
//!
//! A partition is a log: batches of records one behind the other in a few files, each record with a
//! number that never changes, its offset. This crate is such a log, in Kafka's own files. It has no
//! clock, no network, no thread and no randomness: time is an argument, and the disk is a [`Dir`]
//! that somebody hands in.
//!
//! `src/` is yours: every file has a step or two. `given/` is there to be read and called.

#![allow(dead_code, reason = "some of what is given is called by the steps only")]

// Yours, in the order in which a batch meets them.
mod append; // step 1: a batch gets its offset

mod read; // step 2: where the batches are

mod segments; // step 3: a new segment, and the right one

mod index; // step 4: where in a segment to begin

mod retention; // step 5: the oldest segments go

mod recovery; // step 6: what a crash has left

// Given.
#[path = "../given/log.rs"]
mod log; // the log's fields and what it says about itself

#[path = "../given/config.rs"]
mod config; // Kafka's settings

#[path = "../given/error.rs"]
mod error;

#[path = "../given/batch.rs"]
mod batch; // a batch's header

#[path = "../given/write.rs"]
mod write; // the end of the log

#[path = "../given/segment.rs"]
mod segment; // three files, and what memory knows of them

#[path = "../given/index_file.rs"]
mod index_file; // index entries, one behind the other

#[path = "../given/walk.rs"]
mod walk; // from header to header

#[path = "../given/window.rs"]
mod window; // a piece of a file

#[path = "../given/scan.rs"]
mod scan; // from batch to batch, with all their bytes

#[path = "../given/time.rs"]
mod time; // lookup by time

#[path = "../given/fetched.rs"]
mod fetched; // batches from another broker

#[path = "../given/shorten.rs"]
mod shorten; // at the end, at the start

#[path = "../given/open.rs"]
mod open; // a directory that is already there

#[path = "../given/dir.rs"]
mod dir; // the disk

#[path = "../given/mem_dir.rs"]
mod mem_dir; // a disk for tests

pub use batch::Batch;
pub use config::Config;
pub use dir::{Dir, FsDir};
pub use error::Error;
pub use index_file::{Entry, Index};
pub use log::{Appended, OffsetLog, Slice};
pub use mem_dir::MemDir;
pub use open::Recovery;
pub use scan::Scan;
pub use segment::{Segment, log_file};
