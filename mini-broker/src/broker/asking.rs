//! What other nodes are asked for, and where their answers go.

use wire::{Api, Request, Response};

use super::{Broker, Call, Now, Output, Peer, PeerGone};

/// What another node was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    Cluster,
    Registration,
    Heartbeat,
    Metadata,
    Snapshot,
    Forwarded(u64),
    ProducerIds,
    /// A leader, by its node id, for what its followers do not have.
    Replica(i32),
    InSync,
}

impl Broker {
    /// Asks another node; its answer comes to [`Self::reply`].
    pub(super) fn ask(
        &mut self,
        to: Peer,
        request: Request,
        asked: Asked,
        out: &mut Vec<Output>,
    ) -> Call {
        self.last_call += 1;
        let call = Call(self.last_call);
        self.asked.insert(call, asked);
        out.push(Output::Send { call, to, request });
        call
    }

    pub(super) fn reply(
        &mut self,
        now: Now,
        call: Call,
        reply: Result<Response, PeerGone>,
        out: &mut Vec<Output>,
    ) {
        let Some(asked) = self.asked.remove(&call) else { return };
        match asked {
            Asked::Cluster => match answer_to::<wire::cluster::DescribeClusterRequest>(reply) {
                Ok(told) => self.told_cluster(now, told, out),
                Err(gone) => self.coordinator_away(now, &gone, out),
            },
            Asked::Registration => {
                match answer_to::<wire::broker_lifecycle::BrokerRegistrationRequest>(reply) {
                    Ok(told) => self.registered(now, told, out),
                    Err(gone) => self.coordinator_away(now, &gone, out),
                }
            }
            Asked::Heartbeat => {
                match answer_to::<wire::broker_lifecycle::BrokerHeartbeatRequest>(reply) {
                    Ok(told) => self.heartbeat_answered(now, told, out),
                    Err(gone) => self.coordinator_away(now, &gone, out),
                }
            }
            Asked::Metadata => {
                self.metadata_read(now, answer_to::<wire::fetch::FetchRequest>(reply), out);
            }
            Asked::Snapshot => {
                let told = answer_to::<wire::fetch_snapshot::FetchSnapshotRequest>(reply);
                self.piece_read(now, told, out);
            }
            Asked::Forwarded(number) => {
                let told = answer_to::<wire::envelope::EnvelopeRequest>(reply);
                self.forwarded_answered(now, number, told, out);
            }
            Asked::Replica(leader) => {
                let told = answer_to::<wire::fetch::FetchRequest>(reply);
                self.replica_answered(now, call, leader, told, out);
            }
            Asked::InSync => {
                let told = answer_to::<wire::alter_partition::AlterPartitionRequest>(reply);
                self.in_sync_answered(now, told, out);
            }
            Asked::ProducerIds => {
                let told = answer_to::<wire::producer_id::AllocateProducerIdsRequest>(reply);
                self.producer_ids_allocated(now, told, out);
            }
        }
    }
}

/// The answer to a request of this kind. A peer sends no other.
fn answer_to<R: Api>(reply: Result<Response, PeerGone>) -> Result<R::Response, PeerGone> {
    let wrong = || PeerGone("it answered something else".into());
    reply.and_then(|response| R::response(response).ok_or_else(wrong))
}
