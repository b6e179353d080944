//! The runner behind `cargo workshop`.
//!
//! It finds the labs by their folders (`labs/<number>-<name>`), reads their README, rules, hints and predictions, runs
//! their tests, and says what to do next. It never keeps progress: done is what passes now. It depends on no lab, so a
//! lab that does not compile is something it reports, not something that stops it. It uses few crates, because the
//! first screen of a fresh clone waits for them all.
#![allow(
    clippy::disallowed_methods,
    reason = "the promise is the labs': this is a shell around cargo, with clocks and threads"
)]

pub mod cli;
pub mod failure;
pub mod paint;

// What a lab is.
pub mod kit;
pub mod lab;
pub mod predictions;
pub mod source;
pub mod starter;

// What its tests say.
pub mod cargo;
pub mod grade;
pub mod libtest;
pub mod machine;
pub mod report;

// What can be asked.
pub mod commands;
pub mod screen;
pub mod verify;
