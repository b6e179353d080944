//! A producer that got no answer sends its batch again. So that it does not stand in the log twice,
//! the producer counts its records, and the leader remembers the count.
//!
//! An idempotent producer has an id, an epoch, and for each partition a sequence: 0, 1, 2, … Each
//! batch says the sequence of its first record. The leader wants the next one. What it has already,
//! it answers as it did before, and appends nothing.

use std::collections::{BTreeMap, VecDeque};

/// How many batches of each producer are remembered. A producer has no more under way at a time, or
/// it could not be told a duplicate from a gap (`max.in.flight.requests.per.connection`).
const REMEMBERED: usize = 5;

/// What the leader of one partition knows of its idempotent producers. All of it stands in the
/// log's batches too. (Kafka: `ProducerStateManager`, `ProducerAppendInfo`.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Producers {
    producers: BTreeMap<i64, Producer>,
    /// `producer.id.expiration.ms`
    expiration_ms: u64,
}

/// One producer, as one partition knows it; also a line of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Producer {
    pub id: i64,
    pub epoch: i16,
    /// The sequence that comes next.
    pub next_sequence: i32,
    /// The largest timestamp of its newest batch.
    pub timestamp_ms: i64,
    /// The newest batches, the oldest first.
    pub batches: VecDeque<Stored>,
}

/// A batch that was appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    pub first_sequence: i32,
    pub last_sequence: i32,
    pub first_offset: u64,
    pub last_offset: u64,
    /// The batch's largest timestamp.
    pub timestamp_ms: i64,
}

/// What to do with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sequence {
    /// It is the next one: append it.
    Next,
    /// It is in the log already: append nothing, and answer with where it is.
    Again(Stored),
}

/// Why a batch is not appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutOfOrder {
    /// Kafka's OUT_OF_ORDER_SEQUENCE_NUMBER (45). A batch before this one is missing, or this is
    /// one that is too old to be remembered, or a part of one.
    #[error("producer {producer}: expected sequence {expected}, got {got}")]
    Sequence { producer: i64, expected: i32, got: i32 },
    /// Kafka's INVALID_PRODUCER_EPOCH (47): another producer has taken over this id.
    #[error("producer {producer}: epoch {got} is over, expected at least {current}")]
    Epoch { producer: i64, current: i16, got: i16 },
}

impl Producers {
    pub fn new(expiration_ms: u64) -> Self {
        Producers { producers: BTreeMap::new(), expiration_ms }
    }

    /// Looks at a batch of `count` records before it is appended.
    pub fn check(
        &self,
        producer: i64,
        epoch: i16,
        first_sequence: i32,
        count: u32,
    ) -> Result<Sequence, OutOfOrder> {
        let Some(known) = self.producers.get(&producer) else {
            return Ok(Sequence::Next); // the producer may be older than what is left of the log
        };
        let expected = if epoch == known.epoch { known.next_sequence } else { 0 };
        let last_sequence = plus(first_sequence, count.saturating_sub(1));
        let same = |stored: &&Stored| {
            epoch == known.epoch
                && (stored.first_sequence, stored.last_sequence) == (first_sequence, last_sequence)
        };
        if let Some(stored) = known.batches.iter().find(same) {
            Ok(Sequence::Again(*stored))
        } else if epoch < known.epoch {
            Err(OutOfOrder::Epoch { producer, current: known.epoch, got: epoch })
        } else if first_sequence != expected {
            Err(OutOfOrder::Sequence { producer, expected, got: first_sequence })
        } else {
            Ok(Sequence::Next)
        }
    }

    /// A batch was appended, by this leader or as a follower. `timestamp_ms` is its largest
    /// timestamp.
    pub fn appended(
        &mut self,
        producer: i64,
        epoch: i16,
        first_sequence: i32,
        count: u32,
        first_offset: u64,
        timestamp_ms: i64,
    ) {
        let last = count.saturating_sub(1);
        let stored = Stored {
            first_sequence,
            last_sequence: plus(first_sequence, last),
            first_offset,
            last_offset: first_offset + u64::from(last),
            timestamp_ms,
        };
        let known = self.producers.entry(producer).or_insert_with(|| Producer {
            id: producer,
            epoch,
            next_sequence: 0,
            timestamp_ms,
            batches: VecDeque::new(),
        });
        if known.epoch != epoch {
            known.epoch = epoch;
            known.batches.clear();
        }
        if known.batches.len() == REMEMBERED {
            known.batches.pop_front();
        }
        known.batches.push_back(stored);
        known.next_sequence = plus(stored.last_sequence, 1);
        known.timestamp_ms = timestamp_ms;
    }

    /// The log was cut, and ends here now. Of what was cut the producers are expected to send the
    /// first batch again.
    pub fn truncated(&mut self, end: u64) {
        for known in self.producers.values_mut() {
            let kept = known.batches.iter().take_while(|stored| stored.last_offset < end).count();
            if let Some(cut) = known.batches.get(kept) {
                known.next_sequence = cut.first_sequence;
            }
            known.batches.truncate(kept);
        }
    }

    /// Forgets producers whose newest batch is as old as `producer.id.expiration.ms`, or older.
    pub fn expire(&mut self, now_ms: u64) {
        let expiration_ms = self.expiration_ms;
        self.producers.retain(|_, known| {
            let since_ms = u64::try_from(known.timestamp_ms).unwrap_or(0);
            now_ms < since_ms.saturating_add(expiration_ms)
        });
    }

    /// Takes another `producer.id.expiration.ms`.
    pub fn configure(&mut self, expiration_ms: u64) {
        self.expiration_ms = expiration_ms;
    }

    /// All that is known, in the order of the ids: for a snapshot file.
    pub fn entries(&self) -> impl Iterator<Item = &Producer> {
        self.producers.values()
    }

    /// What a snapshot file says. (Kafka's own keeps the newest batch of each producer only.)
    pub fn restore(expiration_ms: u64, entries: impl IntoIterator<Item = Producer>) -> Self {
        let producers = entries.into_iter().map(|known| (known.id, known)).collect();
        Producers { producers, expiration_ms }
    }
}

/// The sequence so many records later. After the largest `i32` comes 0.
fn plus(sequence: i32, records: u32) -> i32 {
    ((i64::from(sequence) + i64::from(records)) % (i64::from(i32::MAX) + 1)) as i32
}
