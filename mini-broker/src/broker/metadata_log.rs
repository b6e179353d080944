//! The metadata log, as a broker follows it: by Fetch, from the coordinator. At the start it is read to
//! its end before anything follows from it; after that, what it says comes true record by record.

use std::collections::BTreeSet;

use bytes::BytesMut;
use wire::fetch::{FetchPartition, FetchRequest, FetchResponse, FetchTopic};
use wire::{ErrorCode, Records};

use super::membership::AGAIN_MS;
use super::metadata_snapshot::Incoming;
use super::waiting::Owner;
use super::{Asked, Broker, Now, Output, Peer, PeerGone};
use crate::coordinator::{self, METADATA_TOPIC, Resource, records};

/// How long the coordinator may wait for something to tell, in ms; and at the start, when there may be
/// nothing behind what was read.
const WAIT_MS: i32 = 5_000;
const START_WAIT_MS: i32 = 100;
const MOST_BYTES: i32 = 8 << 20;

#[derive(Default)]
pub struct Following {
    /// A request for the log, or for a snapshot of it, is under way.
    pub asking: bool,
    /// The snapshot that is read, because the log does not go back so far.
    pub incoming: Option<Incoming>,
    /// Everything that was there at the start has been read, and has come true.
    pub loaded: bool,
}

impl Broker {
    /// Asks for what comes next in the metadata log, or in a snapshot of it.
    pub(super) fn read_metadata(&mut self, out: &mut Vec<Output>) {
        if std::mem::replace(&mut self.following.asking, true) {
            return;
        }
        if self.following.incoming.is_some() {
            return self.ask_for_piece(out);
        }
        let partition = FetchPartition {
            partition: 0,
            fetch_offset: self.applied as i64,
            partition_max_bytes: MOST_BYTES,
            ..Default::default()
        };
        let request = FetchRequest {
            replica_id: self.config.node_id,
            max_wait_ms: if self.following.loaded { WAIT_MS } else { START_WAIT_MS },
            min_bytes: 1,
            max_bytes: MOST_BYTES,
            topics: vec![FetchTopic {
                topic: METADATA_TOPIC.into(),
                partitions: vec![partition],
                ..Default::default()
            }],
            replica_epoch: self.membership.epoch,
            cluster_id: self.cluster_id.clone(),
            ..Default::default()
        };
        self.ask(Peer::Coordinator, request.into(), Asked::Metadata, out);
    }

    pub(super) fn metadata_read(
        &mut self,
        now: Now,
        told: Result<FetchResponse, PeerGone>,
        out: &mut Vec<Output>,
    ) {
        let told = self.heard(now, told, |told| told.error_code, out);
        let Some(told) = told else { return };
        let data = told.responses.into_iter().flat_map(|topic| topic.partitions).next();
        let Some(data) = data else { return self.read_metadata_later(now) };
        match data.error_code {
            ErrorCode::NONE => {}
            ErrorCode::OFFSET_OUT_OF_RANGE => {
                return out.push(Output::Stop(format!(
                    "the coordinator does not have the metadata log from offset {} on: it is not \
                     the one that decided what this broker knows",
                    self.applied
                )));
            }
            _ => return self.read_metadata_later(now),
        }
        if data.snapshot_id.end_offset >= 0 {
            self.following.incoming = Some(Incoming::new(data.snapshot_id));
            return self.read_metadata(out);
        }
        let bytes = match data.records {
            Records::Here(bytes) => bytes,
            Records::None => BytesMut::new(),
            Records::There { .. } => unreachable!("what came from elsewhere is here"),
        };
        match records(&bytes) {
            Ok((records, next)) => self.take_records(now, records, next, out),
            Err(why) => {
                return out.push(Output::Stop(format!("the metadata log cannot be read: {why}")));
            }
        }
        self.loaded_to(now, data.high_watermark, out);
    }

    /// What the coordinator has answered, if it has, and if it is this cluster's. If not, it is asked again.
    pub(super) fn heard<T>(
        &mut self,
        now: Now,
        told: Result<T, PeerGone>,
        code: impl FnOnce(&T) -> ErrorCode,
        out: &mut Vec<Output>,
    ) -> Option<T> {
        self.following.asking = false;
        match told {
            Ok(told) if code(&told) != ErrorCode::INCONSISTENT_CLUSTER_ID => return Some(told),
            Ok(_) => self.met_another_cluster(now, None, out),
            Err(_) => {}
        }
        self.read_metadata_later(now);
        None
    }

    /// It has read on; there is something to read below this offset. What there was at the start comes true
    /// all at once.
    pub(super) fn loaded_to(&mut self, now: Now, high_watermark: i64, out: &mut Vec<Output>) {
        let all = self.applied as i64 >= high_watermark;
        if all && !self.following.loaded && self.applied as i64 > self.membership.epoch {
            self.following.loaded = true;
            if let Err(error) = self.load(now, out) {
                return out.push(Output::Stop(format!("the data directory: {error}")));
            }
        }
        self.may_have_caught_up(now);
        self.let_clients_in(out);
        self.read_metadata(out);
    }

    fn take_records(
        &mut self,
        now: Now,
        records: coordinator::Records,
        next: Option<u64>,
        out: &mut Vec<Output>,
    ) {
        let mut changed = BTreeSet::new();
        for (offset, record) in records {
            if offset < self.applied {
                continue; // known before
            }
            match self.following.loaded {
                true => self.apply(now, offset, &record, &mut changed, out),
                false => self.cluster.apply(offset, &record),
            }
        }
        self.applied = next.unwrap_or(0).max(self.applied);
        self.has_applied(now, changed, out);
    }

    /// What follows from records once all of them are taken into account.
    pub(super) fn has_applied(
        &mut self,
        now: Now,
        changed: BTreeSet<Resource>,
        out: &mut Vec<Output>,
    ) {
        if self.following.loaded {
            self.configure(now, changed, out);
            self.tell_keyed(out);
            self.fetch_news(now, out);
            self.after_applied(now, out);
        }
    }

    pub(super) fn read_metadata_later(&mut self, now: Now) {
        self.timers.set(now.mono_ms + AGAIN_MS, Owner::MetadataLog);
    }

    /// Clients may come once the broker takes part.
    fn let_clients_in(&mut self, out: &mut Vec<Output>) {
        let own = self.cluster.brokers.get(&self.config.node_id);
        let takes_part = own.is_some_and(|own| own.epoch == self.membership.epoch && !own.fenced);
        if takes_part
            && self.following.loaded
            && !std::mem::replace(&mut self.membership.ready, true)
        {
            out.push(Output::Ready);
        }
    }
}
