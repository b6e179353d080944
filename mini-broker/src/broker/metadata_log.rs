//! The metadata log, as a broker follows it: by Fetch, from the coordinator. At the start it is read to
//! its end before anything follows from it; after that, what it says comes true record by record.

use std::collections::BTreeSet;

use bytes::BytesMut;
use wire::Records;
use wire::fetch::{FetchPartition, FetchRequest, FetchResponse, FetchTopic};

use super::{Asked, Broker, Now, Output, Peer, PeerGone};
use crate::broker::waiting::Owner;
use crate::coordinator::{self, METADATA_TOPIC, records};

/// How long the coordinator may wait for something to tell, in ms.
const WAIT_MS: i32 = 5_000;
const MOST_BYTES: i32 = 8 << 20;

/// How long to wait after the coordinator could not be reached, in ms.
const AGAIN_MS: u64 = 200;

#[derive(Default)]
pub struct Following {
    asking: bool,
    /// Everything that was there at the start has been read, and has come true.
    pub loaded: bool,
}

impl Broker {
    /// Asks for what comes next in the metadata log.
    pub(super) fn read_metadata(&mut self, out: &mut Vec<Output>) {
        if std::mem::replace(&mut self.following.asking, true) {
            return;
        }
        let partition = FetchPartition {
            partition: 0,
            fetch_offset: self.applied as i64,
            partition_max_bytes: MOST_BYTES,
            ..Default::default()
        };
        let request = FetchRequest {
            replica_id: self.config.node_id,
            max_wait_ms: WAIT_MS,
            min_bytes: 1,
            max_bytes: MOST_BYTES,
            topics: vec![FetchTopic { topic: METADATA_TOPIC.into(), partitions: vec![partition] }],
            replica_epoch: self.membership.epoch,
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
        self.following.asking = false;
        let Ok(told) = told else {
            self.timers.set(now.mono_ms + AGAIN_MS, Owner::MetadataLog);
            return;
        };
        let data = told.responses.into_iter().flat_map(|topic| topic.partitions).next();
        let Some(data) = data.filter(|data| data.error_code.is_ok()) else {
            return out.push(Output::Stop(format!(
                "the coordinator does not have the metadata log from offset {} on: it is not the \
                 one that decided what this broker knows",
                self.applied
            )));
        };
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
        let all = self.applied as i64 >= data.high_watermark;
        if all && !self.following.loaded && self.applied as i64 > self.membership.epoch {
            self.following.loaded = true;
            if let Err(error) = self.load(now, out) {
                return out.push(Output::Stop(format!("the data directory: {error}")));
            }
            self.caught_up(now);
        }
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
        if self.following.loaded {
            self.configure(now, changed, out);
            self.tell_keyed(out);
            self.fetch_news(now, out);
            self.after_applied(now, out);
        }
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
