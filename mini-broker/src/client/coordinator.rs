//! Who coordinates a group, and what is asked of that broker.
//!
//! The coordinator of a group is the broker that leads the partition of `__consumer_offsets` where
//! the group's commits stand. So it moves when that leadership does, and says so when it is asked.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use wire::groups::{FindCoordinatorRequest, key_type};
use wire::{Api, ErrorCode};

use super::connection::{Connection, REQUEST_TIMEOUT};
use super::{BACKOFF, Client, Error, address};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coordinator {
    pub node_id: i32,
    pub host: String,
    pub port: i32,
}

impl Client {
    /// Asks a group's coordinator. Looks for it again while there is none, or it has moved, or it is
    /// still reading its log, but not for longer than `REQUEST_TIMEOUT`. `code`: what the answer
    /// says of the group.
    pub async fn ask_coordinator<R: Api + Clone>(
        &mut self,
        group: &str,
        request: R,
        within: Duration,
        code: impl Fn(&R::Response) -> ErrorCode,
    ) -> Result<R::Response, Error> {
        let give_up = Instant::now() + REQUEST_TIMEOUT;
        loop {
            let answer = match self.connect_coordinator(group).await {
                Ok(connection) => connection.call_within(request.clone(), within).await,
                Err(error) => Err(error),
            };
            let again = match &answer {
                Ok(answer) => is_on_its_way(code(answer)),
                Err(error) => error.is_retriable(),
            };
            if !again || Instant::now() >= give_up {
                return answer;
            }
            self.coordinators.remove(group);
            sleep(BACKOFF).await;
        }
    }

    /// As it was last found, or asked for now.
    pub async fn coordinator(&mut self, group: &str) -> Result<Coordinator, Error> {
        if let Some(known) = self.coordinators.get(group) {
            return Ok(known.clone());
        }
        let request = FindCoordinatorRequest {
            key: group.to_owned(),
            key_type: key_type::GROUP,
            coordinator_keys: vec![group.to_owned()],
        };
        let answer = self.call_any(request).await?;
        // From version 4 on it is a list.
        let (code, message, found) = match answer.coordinators.into_iter().next() {
            Some(one) => (one.error_code, one.error_message, (one.node_id, one.host, one.port)),
            None => {
                let found = (answer.node_id, answer.host, answer.port);
                (answer.error_code, answer.error_message, found)
            }
        };
        Error::check(|| format!("the coordinator of group `{group}`"), code, message)?;
        let (node_id, host, port) = found;
        let found = Coordinator { node_id, host, port };
        self.coordinators.insert(group.to_owned(), found.clone());
        Ok(found)
    }

    async fn connect_coordinator(&mut self, group: &str) -> Result<Connection, Error> {
        let Coordinator { host, port, .. } = self.coordinator(group).await?;
        self.to(&address(&host, port)).await
    }

    /// A connection of its own, for what cannot wait until the shared one has its answer.
    pub(super) async fn connect_coordinator_apart(
        &mut self,
        group: &str,
    ) -> Result<Connection, Error> {
        let Coordinator { host, port, .. } = self.coordinator(group).await?;
        Connection::open(&address(&host, port), &self.client_id).await
    }
}

/// Offsets in a transaction that is still open are on their way, too.
fn is_on_its_way(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::COORDINATOR_LOAD_IN_PROGRESS
            | ErrorCode::COORDINATOR_NOT_AVAILABLE
            | ErrorCode::NOT_COORDINATOR
            | ErrorCode::UNSTABLE_OFFSET_COMMIT
    )
}
