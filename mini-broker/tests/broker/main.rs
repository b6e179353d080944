//! The broker, tested twice: driven by hand with a time that is an argument and a disk in memory,
//! and as a process, over real sockets, with real files and real kills.

// What the tests stand on.
mod batches;
mod by_hand;
mod process;

// By hand.
mod configs;
mod determinism;
mod long_poll;
mod metadata_log;
mod retention;
mod storage;

// As a process.
mod bad_input;
mod end_to_end;
mod offsets;
mod restart;
mod serve;
