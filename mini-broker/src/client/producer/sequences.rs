//! What makes a producer idempotent (KIP-98): an id from the cluster, and in each batch the number of
//! its first record. A leader knows a batch again that is sent a second time, and does not append it twice.

use std::collections::BTreeMap;

use tokio::time::{Instant, sleep};
use wire::producer_id::InitProducerIdRequest;

use crate::client::{BACKOFF, Client, Error, LEADER_TIMEOUT};
use crate::records::build::Producer;

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
                    let (id, epoch) = (answer.producer_id, answer.producer_epoch);
                    return Ok(Sequences { id, epoch, next: BTreeMap::new() });
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
    epoch: i16,
    next: BTreeMap<i32, i32>,
}

impl Sequences {
    /// For a batch that follows all batches that were counted.
    pub fn producer(&self, partition: i32) -> Producer {
        let first_sequence = self.next.get(&partition).copied().unwrap_or(0);
        Producer { id: self.id, epoch: self.epoch, first_sequence }
    }

    /// So many records stand in the partition's next batch. After the largest number comes 0.
    pub fn count(&mut self, partition: i32, records: i32) {
        let next = self.next.entry(partition).or_insert(0);
        *next = next.wrapping_add(records) & i32::MAX;
    }
}
