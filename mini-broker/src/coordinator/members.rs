//! Who is there, and who is gone. A broker registers and is fenced at first: it leads nothing. Its
//! heartbeats say how far it has read the metadata log; once it has caught up it takes part. A broker
//! whose connection is closed is gone at once, for that is what the system does when a process dies; one
//! that hangs is gone after `broker.session.timeout.ms`. (`ClusterControlManager`,
//! `BrokerHeartbeatManager`, KIP-631.)

use std::collections::BTreeMap;

use wire::ErrorCode;
use wire::broker_lifecycle::{
    BrokerHeartbeatRequest, BrokerHeartbeatResponse, BrokerRegistrationRequest,
    BrokerRegistrationResponse,
};
use wire::cluster::{
    DescribeClusterBroker, DescribeClusterRequest, DescribeClusterResponse, endpoint_type,
};

use super::{Cluster, Coordinator, Record};
use crate::node::{Event, Now, Output, Refused};

/// How long after a failed attempt to write it down a death is looked at again, in ms.
const AGAIN_MS: u64 = 1_000;

/// Why a broker takes no part that has asked for it.
pub const STOPS: &str = "it stops";

/// The brokers that were heard of, by node id.
pub struct Sessions(BTreeMap<i32, Session>);

struct Session {
    /// The connection on which it was heard of; `None`: it was not since the coordinator started.
    connection: Option<u32>,
    /// When it ends unless the broker is heard of before, in `mono_ms`.
    ends: u64,
}

impl Sessions {
    /// Whoever took part when the coordinator stopped has time to be heard of again.
    pub fn of(cluster: &Cluster, ends: u64) -> Self {
        let live = cluster.live().into_iter();
        Self(live.map(|id| (id, Session { connection: None, ends })).collect())
    }

    /// When the next session may end, in `mono_ms`.
    pub fn deadline(&self) -> Option<u64> {
        self.0.values().map(|session| session.ends).min()
    }
}

impl Coordinator {
    pub(super) fn session_timeout_ms(&self) -> u64 {
        self.config.number("broker.session.timeout.ms") as u64
    }

    pub(super) fn register(
        &mut self,
        now: Now,
        connection: u32,
        request: BrokerRegistrationRequest,
        out: &mut Vec<Output>,
    ) -> BrokerRegistrationResponse {
        match self.try_register(now, connection, request, out) {
            Ok(broker_epoch) => BrokerRegistrationResponse { broker_epoch, ..Default::default() },
            Err(refused) => {
                BrokerRegistrationResponse { error_code: refused.code, ..Default::default() }
            }
        }
    }

    fn try_register(
        &mut self,
        now: Now,
        connection: u32,
        request: BrokerRegistrationRequest,
        out: &mut Vec<Output>,
    ) -> Result<i64, Refused> {
        let (id, incarnation) = (request.broker_id, request.incarnation_id);
        if request.cluster_id != self.cluster_id {
            let why = format!("this is cluster {}, not {}", self.cluster_id, request.cluster_id);
            return Err(Refused::new(ErrorCode::INCONSISTENT_CLUSTER_ID, why));
        }
        let known = self.cluster.brokers.get(&id);
        if let Some(known) = known {
            if known.incarnation == incarnation {
                let epoch = known.epoch;
                self.hear(now, id, connection);
                return Ok(epoch); // it has asked before
            }
            if self.sessions.0.get(&id).is_some_and(|session| session.connection.is_some()) {
                let why = format!("broker {id} is there already");
                return Err(Refused::new(ErrorCode::DUPLICATE_BROKER_REGISTRATION, why));
            }
        }
        let listener = request.listeners.into_iter().next();
        let listener = listener.filter(|_| id >= 0).ok_or_else(|| {
            Refused::new(ErrorCode::INVALID_REQUEST, format!("broker {id} listens nowhere"))
        })?;
        // The number of its own record: nothing else ever has it.
        let epoch = self.log.end() as i64;
        let (host, port) = (listener.host, listener.port);
        let mut records = vec![Record::RegisterBroker { id, incarnation, epoch, host, port }];
        // What it led before it came again others lead now, if they can.
        records.extend(self.without(id, out));
        self.append(now, records)?;
        self.hear(now, id, connection);
        out.push(Output::Tell(Event::BrokerRegistered { id, epoch }));
        Ok(epoch)
    }

    pub(super) fn heartbeat(
        &mut self,
        now: Now,
        connection: u32,
        request: &BrokerHeartbeatRequest,
        out: &mut Vec<Output>,
    ) -> BrokerHeartbeatResponse {
        let id = request.broker_id;
        if let Err(refused) = self.check_broker_epoch(id, request.broker_epoch) {
            return BrokerHeartbeatResponse { error_code: refused.code, ..Default::default() };
        }
        self.hear(now, id, connection);
        let known = &self.cluster.brokers[&id];
        let (epoch, fenced) = (known.epoch, known.fenced);
        let is_caught_up = request.current_metadata_offset >= epoch;
        let wants_out = request.want_fence || request.want_shut_down;
        let done = match fenced {
            false if wants_out => self.fence(now, id, STOPS, out),
            true if is_caught_up && !wants_out => self.unfence(now, id, epoch, out),
            _ => Ok(()),
        };
        let error_code = done.map_or_else(|refused| refused.code, |()| ErrorCode::NONE);
        BrokerHeartbeatResponse {
            error_code,
            is_caught_up,
            is_fenced: self.cluster.brokers[&id].fenced,
            should_shut_down: request.want_shut_down && self.cluster.brokers[&id].fenced,
            ..Default::default()
        }
    }

    fn hear(&mut self, now: Now, id: i32, connection: u32) {
        let ends = now.mono_ms + self.session_timeout_ms();
        self.sessions.0.insert(id, Session { connection: Some(connection), ends });
    }

    /// Whether this is the broker that registered last under this id.
    pub(super) fn check_broker_epoch(&self, id: i32, epoch: i64) -> Result<(), Refused> {
        match self.cluster.brokers.get(&id) {
            None => {
                let why = format!("broker {id} never registered");
                Err(Refused::new(ErrorCode::BROKER_ID_NOT_REGISTERED, why))
            }
            Some(known) if known.epoch != epoch => {
                let why = format!("broker {id} has epoch {}, not {epoch}", known.epoch);
                Err(Refused::new(ErrorCode::STALE_BROKER_EPOCH, why))
            }
            Some(_) => Ok(()),
        }
    }

    pub(super) fn connection_lost(&mut self, now: Now, connection: u32, out: &mut Vec<Output>) {
        let lost = self.sessions.0.iter();
        let lost = lost.filter(|(_, session)| session.connection == Some(connection));
        for id in lost.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.end_session(now, id, "its connection was closed", out);
        }
    }

    pub(super) fn end_sessions(&mut self, now: Now, out: &mut Vec<Output>) {
        let ended = self.sessions.0.iter();
        let ended = ended.filter(|(_, session)| session.ends <= now.mono_ms);
        for id in ended.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.end_session(now, id, "it was not heard of", out);
        }
    }

    fn end_session(&mut self, now: Now, id: i32, why: &'static str, out: &mut Vec<Output>) {
        if self.cluster.is_live(id)
            && let Err(refused) = self.fence(now, id, why, out)
        {
            // Its session stays, so that this is tried again.
            let (partition, why) = (super::METADATA_DIR.into(), refused.why);
            out.push(Output::Tell(Event::Storage { partition, why, offline: false }));
            let ends = now.mono_ms + AGAIN_MS;
            self.sessions.0.insert(id, Session { connection: None, ends });
            return;
        }
        self.sessions.0.remove(&id);
    }

    /// Takes a broker out: it leads nothing, and is in sync only where it is the last.
    fn fence(
        &mut self,
        now: Now,
        id: i32,
        why: &'static str,
        out: &mut Vec<Output>,
    ) -> Result<(), Refused> {
        let epoch = self.cluster.brokers[&id].epoch;
        let mut records = vec![Record::BrokerChange { id, epoch, fenced: true }];
        records.extend(self.without(id, out));
        self.append(now, records)?;
        out.push(Output::Tell(Event::BrokerFenced { id, why }));
        Ok(())
    }

    fn unfence(
        &mut self,
        now: Now,
        id: i32,
        epoch: i64,
        out: &mut Vec<Output>,
    ) -> Result<(), Refused> {
        let mut records = vec![Record::BrokerChange { id, epoch, fenced: false }];
        records.extend(self.with(id, out));
        self.append(now, records)?;
        out.push(Output::Tell(Event::BrokerUnfenced { id }));
        self.rebalance_later(now);
        Ok(())
    }

    pub(super) fn describe_cluster(
        &self,
        request: &DescribeClusterRequest,
    ) -> DescribeClusterResponse {
        let mut response = DescribeClusterResponse {
            endpoint_type: request.endpoint_type,
            cluster_id: self.cluster_id.clone(),
            controller_id: self.config.node_id,
            ..Default::default()
        };
        if request.endpoint_type == endpoint_type::CONTROLLERS {
            response.brokers = vec![DescribeClusterBroker {
                broker_id: self.config.node_id,
                host: self.config.host.clone(),
                port: self.config.port.into(),
                rack: None,
            }];
        } else {
            response.error_code = ErrorCode::MISMATCHED_ENDPOINT_TYPE;
            response.error_message = Some("This listener is for brokers.".into());
        }
        response
    }
}
