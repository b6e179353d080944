//! One task looks at all groups and logs, once a second, whoever asks or not: a verdict needs the past.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};
use tracing::warn;
use wire::metadata::MetadataResponse;

use super::{PATIENCE, Problem, now_ms};
use crate::client::{Client, Error};
use crate::monitor::watch::{Looked, Watch};
use crate::monitor::{Monitor, Settings};
use axum::http::StatusCode;

/// Between two looks.
pub const EVERY: Duration = Duration::from_secs(1);
/// Two minutes of curve.
pub const LOOKS: usize = 120;
/// Before it begins anew, if the brokers do not answer.
const AGAIN: Duration = Duration::from_secs(1);
/// Questions that may wait.
const QUESTIONS: usize = 64;

type Question = Box<dyn FnOnce(&mut Monitor, &Arc<MetadataResponse>) + Send>;

/// A way to the task.
pub struct Watching(mpsc::Sender<Question>);

impl Watching {
    pub fn begin(client: Client) -> Self {
        let (questions, inbox) = mpsc::channel(QUESTIONS);
        tokio::spawn(watch(client, inbox));
        Watching(questions)
    }

    /// Asks what is known now.
    pub async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Monitor, &Arc<MetadataResponse>) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let (answer, answered) = oneshot::channel();
        let question: Question = Box::new(move |monitor, cluster| {
            let _ = answer.send(question(monitor, cluster)); // whoever asked may be gone
        });
        let asked = async {
            self.0.send(question).await.ok()?;
            answered.await.ok()
        };
        timeout(PATIENCE, asked).await.ok().flatten().ok_or_else(|| {
            let sentence = "groups and logs have not been read yet; try again in a moment";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, sentence)
        })
    }
}

async fn watch(client: Client, mut inbox: mpsc::Receiver<Question>) {
    let settings = Settings { curve: LOOKS, ..Settings::default() };
    loop {
        let begun = Watch::begin(client.clone(), None, settings, now_ms());
        let ended = match begun.await {
            Ok(watch) => go_on(watch, &mut inbox).await,
            Err(error) => Err(error),
        };
        match ended {
            Ok(()) => return,
            Err(error) => warn!("groups and logs cannot be looked at, and it begins anew: {error}"),
        }
        sleep(AGAIN).await;
    }
}

/// Looks until nobody can ask any more, or something goes wrong.
async fn go_on(mut watch: Watch, inbox: &mut mpsc::Receiver<Question>) -> Result<(), Error> {
    let mut ticks = interval_at(Instant::now() + EVERY, EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut looks: JoinSet<Result<Looked, Error>> = JoinSet::new();
    let mut cluster = Arc::new(watch.cluster.clone());
    loop {
        tokio::select! {
            fetched = watch.wait() => {
                let fetched = fetched?;
                watch.take(now_ms(), &fetched);
            }
            question = inbox.recv() => match question {
                Some(question) => question(&mut watch.monitor, &cluster),
                None => return Ok(()),
            },
            _ = ticks.tick(), if looks.is_empty() => drop(looks.spawn(watch.next_look().run())),
            Some(looked) = looks.join_next() => match looked {
                Ok(Ok(looked)) => {
                    watch.looked(now_ms(), looked).await?;
                    cluster = Arc::new(watch.cluster.clone());
                }
                // A broker that is away for a moment: the next look tells.
                Ok(Err(error)) if error.is_retriable() => {}
                Ok(Err(error)) => return Err(error),
                Err(panic) => warn!("a look has a bug: {panic}"),
            },
        }
    }
}
