//! A snapshot of the metadata log, for a broker that is so far behind that the log does not go back to where
//! it stopped: it is fetched piece by piece, and what is new in it comes true as if its records had been
//! read. (KIP-630.)

use std::collections::BTreeSet;

use bytes::BytesMut;
use wire::fetch::SnapshotId;
use wire::fetch_snapshot::{
    FetchSnapshotPartition, FetchSnapshotRequest, FetchSnapshotResponse, FetchSnapshotTopic,
};

use super::{Asked, Broker, Now, Output, Peer, PeerGone};
use crate::coordinator::{Cluster, METADATA_TOPIC, snapshot};

/// The most bytes of one piece.
const PIECE: i32 = 256 << 10;

/// A snapshot of which some has come.
pub struct Incoming {
    id: SnapshotId,
    bytes: BytesMut,
}

impl Incoming {
    pub fn new(id: SnapshotId) -> Self {
        Self { id, bytes: BytesMut::new() }
    }
}

impl Broker {
    pub(super) fn ask_for_piece(&mut self, out: &mut Vec<Output>) {
        let Some(incoming) = &self.following.incoming else { return };
        let partition = FetchSnapshotPartition {
            partition: 0,
            current_leader_epoch: -1,
            snapshot_id: incoming.id.clone(),
            position: incoming.bytes.len() as i64,
            ..Default::default()
        };
        let request = FetchSnapshotRequest {
            replica_id: self.config.node_id,
            max_bytes: PIECE,
            topics: vec![FetchSnapshotTopic {
                name: METADATA_TOPIC.into(),
                partitions: vec![partition],
            }],
            cluster_id: self.cluster_id.clone(),
        };
        self.ask(Peer::Coordinator, request.into(), Asked::Snapshot, out);
    }

    pub(super) fn piece_read(
        &mut self,
        now: Now,
        told: Result<FetchSnapshotResponse, PeerGone>,
        out: &mut Vec<Output>,
    ) {
        let told = self.heard(now, told, |told| told.error_code, out);
        let Some(told) = told else { return };
        let Some(mut incoming) = self.following.incoming.take() else { return };
        let piece = told.topics.into_iter().flat_map(|topic| topic.partitions).next();
        let next = |piece: &wire::fetch_snapshot::FetchSnapshotPartitionResponse| {
            piece.error_code.is_ok()
                && piece.position == incoming.bytes.len() as i64
                && !piece.unaligned_records.is_empty()
        };
        // A newer one may have taken its place: the log says which.
        let Some(piece) = piece.filter(next) else { return self.read_metadata_later(now) };
        incoming.bytes.extend_from_slice(&piece.unaligned_records);
        if (incoming.bytes.len() as i64) < piece.size {
            self.following.incoming = Some(incoming);
            return self.read_metadata(out);
        }
        match snapshot::read(&incoming.bytes) {
            Ok(cluster) => {
                self.take_snapshot(now, cluster, incoming.id.end_offset as u64, out);
                self.read_metadata(out);
            }
            Err(why) => {
                let end = incoming.id.end_offset;
                out.push(Output::Stop(format!(
                    "the snapshot of the metadata log below offset {end}, as the coordinator has \
                     it, cannot be read: {why}"
                )));
            }
        }
    }

    /// All that is known below `end`. A broker that starts takes it as it is; one that runs takes the steps
    /// from what it knows to there.
    fn take_snapshot(&mut self, now: Now, cluster: Cluster, end: u64, out: &mut Vec<Output>) {
        if end <= self.applied {
            return;
        }
        let mut changed = BTreeSet::new();
        if self.following.loaded {
            for record in self.cluster.towards(&cluster) {
                self.apply(now, end - 1, &record, &mut changed, out);
            }
            debug_assert_eq!(self.cluster, cluster, "the way has to lead there");
        }
        self.cluster = cluster;
        self.applied = end;
        self.has_applied(now, changed, out);
    }
}
