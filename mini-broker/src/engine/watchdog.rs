//! A loop without an end inside an organ stops the engine, and with it every client. Nothing can
//! break into it, but it can be said.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tracing::error;

use crate::labs::WIRED;

/// A turn takes microseconds. Only a disk that stands still takes as long as this, or the opening of
/// a large log that was not closed.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Counts an engine's turns, begun and ended: odd during a turn.
#[derive(Clone, Default)]
pub struct Turns(Arc<AtomicU64>);

impl Turns {
    pub fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Looks for ever whether a turn does not end.
    pub async fn watch(self) {
        let mut seen = 0;
        let mut told = 0;
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let turn = self.0.load(Ordering::Relaxed);
            if turn % 2 == 1 && turn == seen && turn != told {
                told = turn;
                error!("{}", stuck());
            }
            seen = turn;
        }
    }
}

fn stuck() -> String {
    let yours: Vec<&str> =
        WIRED.iter().filter(|organ| organ.yours).map(|organ| organ.lab).collect();
    let organ = match &yours[..] {
        [] => "an organ is".into(),
        yours => format!("your {} is", yours.join(" or ")),
    };
    format!(
        "the broker has not moved for {} seconds: {organ} in a loop without an end, or the disk \
         stands still. Clients wait; Ctrl-C twice stops the broker",
        LOOK_EVERY.as_secs()
    )
}
