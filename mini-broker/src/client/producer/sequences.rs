//! What makes a producer idempotent (KIP-98): an id from the cluster, and in each batch the number of
//! its first record. A leader knows a batch again that is sent a second time, and does not append it twice.

use std::collections::BTreeMap;

use tokio::time::{Instant, sleep};
use wire::ErrorCode;
use wire::producer_id::InitProducerIdRequest;

use crate::client::{BACKOFF, Client, Error, LEADER_TIMEOUT};
use crate::records::{self, build::Producer};

impl Client {
    /// An id that nobody had before. Waits a while for a cluster that cannot give one yet.
    pub(super) async fn producer_id(&mut self) -> Result<Sequences, Error> {
        let give_up = Instant::now() + LEADER_TIMEOUT;
        loop {
            let request = InitProducerIdRequest {
                transactional_id: None,
                transaction_timeout_ms: i32::MAX,
                ..Default::default()
            };
            let error = match self.call_any(request).await {
                Ok(answer) if answer.error_code.is_ok() => {
                    return Ok(Sequences { id: answer.producer_id, next: BTreeMap::new() });
                }
                Ok(answer) => Error::refused("a producer id", answer.error_code, None),
                Err(error) => error,
            };
            if !error.is_retriable() || Instant::now() > give_up {
                return Err(error);
            }
            sleep(BACKOFF).await;
        }
    }
}

/// Numbers a producer's records, in each partition from 0 on.
#[derive(Debug)]
pub(super) struct Sequences {
    id: i64,
    /// For each partition the epoch, and the next record's number.
    next: BTreeMap<i32, (i16, i32)>,
}

impl Sequences {
    /// Writes the numbers of the partition's next records into their batch.
    pub fn number(&mut self, partition: i32, batch: &mut [u8], records: usize) {
        let (epoch, next) = self.next.entry(partition).or_default();
        records::number(batch, Producer { id: self.id, epoch: *epoch, first_sequence: *next });
        // After the largest number comes 0.
        *next = next.wrapping_add(records as i32) & i32::MAX;
    }

    /// The leader misses a batch before this one, though it was acknowledged: it is lost. Kafka's
    /// producer too goes on with a new epoch and a new count, since nobody can send that batch again
    /// (KIP-360).
    pub fn begin_anew(&mut self, partition: i32) {
        let (epoch, next) = self.next.entry(partition).or_default();
        (*epoch, *next) = (epoch.saturating_add(1), 0);
    }
}

/// Whether a leader does not know what came before a batch.
pub(super) fn is_gap(error: &Error) -> bool {
    let gap = [ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER, ErrorCode::UNKNOWN_PRODUCER_ID];
    matches!(error, Error::Refused { code, .. } if gap.contains(code))
}
