//! The broker's place in the cluster: it finds out which cluster the coordinator has, registers, reads
//! the metadata log to its end, and tells by heartbeats that it lives. Without the coordinator it goes on
//! as it is, and asks again and again. (`BrokerLifecycleManager`, KIP-631.)
//!
//! ```text
//! ask for the cluster's id → register → read the metadata log → a heartbeat: caught up → take part
//!    → told to stop → a heartbeat: others lead now → stop
//! ```

use std::fmt::Write;
use std::io;

use uuid::Uuid;
use wire::broker_lifecycle::{
    BrokerHeartbeatRequest, BrokerHeartbeatResponse, BrokerListener, BrokerRegistrationRequest,
    BrokerRegistrationResponse, PLAINTEXT,
};
use wire::cluster::{DescribeClusterRequest, DescribeClusterResponse, endpoint_type};
use wire::{ErrorCode, Request};

use super::waiting::Owner;
use super::{Asked, Broker, Event, Now, Output, Peer, PeerGone};
use crate::node::meta::{self, LAST_EPOCH};

/// How long to wait after the coordinator could not be reached, or refused, in ms.
pub const AGAIN_MS: u64 = 200;

/// How long a broker that is told to stop waits for others to lead in its place, in ms.
const LEAVE_MS: u64 = 5_000;

/// In place of a start of the machine: nothing was left unwritten, whatever the machine does.
const STOPPED_CLEANLY: &str = "-";

/// What a broker is to the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It does not know the cluster's id, or the coordinator has not told it yet.
    Stranger,
    /// It knows where it belongs, and is not registered.
    Known,
    Registered,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaving {
    No,
    /// It will say so in its next heartbeat.
    Soon,
    /// It has said so.
    Told,
}

pub struct Membership {
    standing: Standing,
    /// Drawn at each start: tells this broker from another with its id.
    incarnation: Uuid,
    /// The epoch of the registration; −1: none yet.
    pub epoch: i64,
    /// The epoch of the last run, if nothing that was written then can be lost; −1 otherwise.
    previous_epoch: i64,
    /// A request about this is under way.
    asking: bool,
    /// The timer that is set, in `mono_ms`.
    timer: Option<u64>,
    /// Since when another broker has its id, in `mono_ms`.
    duplicate_since: Option<u64>,
    /// Whether it was said that the coordinator is away.
    away: bool,
    /// It is told to stop.
    leaving: Leaving,
    /// Whether the last heartbeat said that everything is read that there was at the registration.
    told_caught_up: bool,
    /// Whether clients were let in.
    pub ready: bool,
}

impl Membership {
    pub fn new(incarnation: Uuid, last: Option<&str>, boot_id: &str) -> Self {
        Self {
            standing: Standing::Stranger,
            incarnation,
            epoch: -1,
            previous_epoch: last.map_or(-1, |text| previous_epoch(text, boot_id)),
            asking: false,
            timer: None,
            duplicate_since: None,
            away: false,
            leaving: Leaving::No,
            told_caught_up: false,
            ready: false,
        }
    }
}

impl Broker {
    /// Asks what is to be asked next. Called when the time has come.
    pub(super) fn meet_coordinator(&mut self, out: &mut Vec<Output>) {
        self.membership.timer = None;
        if self.membership.leaving == Leaving::Told {
            return out.push(Output::Stopped); // it has waited long enough
        }
        self.ask_next(out);
    }

    fn ask_next(&mut self, out: &mut Vec<Output>) {
        if std::mem::replace(&mut self.membership.asking, true) {
            return;
        }
        let (asked, request): (Asked, Request) = match self.membership.standing {
            Standing::Stranger => {
                let request = DescribeClusterRequest {
                    endpoint_type: endpoint_type::CONTROLLERS,
                    ..Default::default()
                };
                (Asked::Cluster, request.into())
            }
            Standing::Known => (Asked::Registration, self.registration().into()),
            Standing::Registered => {
                self.membership.told_caught_up = self.has_caught_up();
                if self.membership.leaving == Leaving::Soon {
                    self.membership.leaving = Leaving::Told;
                }
                (Asked::Heartbeat, self.heartbeat().into())
            }
        };
        self.ask(Peer::Coordinator, request, asked, out);
    }

    fn registration(&self) -> BrokerRegistrationRequest {
        BrokerRegistrationRequest {
            broker_id: self.config.node_id,
            cluster_id: self.cluster_id.clone().unwrap_or_default(),
            incarnation_id: self.membership.incarnation,
            listeners: vec![BrokerListener {
                name: "PLAINTEXT".into(),
                host: self.config.host.clone(),
                port: self.config.port,
                security_protocol: PLAINTEXT,
            }],
            previous_broker_epoch: self.membership.previous_epoch,
            ..Default::default()
        }
    }

    fn heartbeat(&self) -> BrokerHeartbeatRequest {
        BrokerHeartbeatRequest {
            broker_id: self.config.node_id,
            broker_epoch: self.membership.epoch,
            current_metadata_offset: self.applied as i64 - 1,
            want_shut_down: self.membership.leaving == Leaving::Told,
            ..Default::default()
        }
    }

    pub(super) fn told_cluster(
        &mut self,
        now: Now,
        told: DescribeClusterResponse,
        out: &mut Vec<Output>,
    ) {
        self.membership.asking = false;
        if told.error_code.is_err() {
            let why = match told.error_code {
                ErrorCode::MISMATCHED_ENDPOINT_TYPE => {
                    "a broker answers at its address; expected what `mini-broker coordinator` says \
                     it listens on"
                        .into()
                }
                other => told.error_message.unwrap_or_else(|| other.to_string()),
            };
            return self.coordinator_away(now, &PeerGone(why), out);
        }
        if self.cluster_id.as_ref().is_some_and(|own| *own != told.cluster_id) {
            return self.met_another_cluster(now, Some(&told.cluster_id), out);
        }
        self.cluster_id = Some(told.cluster_id);
        self.membership.standing = Standing::Known;
        self.coordinator_back(out);
        self.ask_next(out);
    }

    pub(super) fn registered(
        &mut self,
        now: Now,
        told: BrokerRegistrationResponse,
        out: &mut Vec<Output>,
    ) {
        self.membership.asking = false;
        let cluster = self.cluster_id.clone().unwrap_or_default();
        let id = self.config.node_id;
        match told.error_code {
            ErrorCode::NONE => {}
            ErrorCode::DUPLICATE_BROKER_REGISTRATION => {
                // The connection of a broker that has just died may not have been missed yet.
                let since = *self.membership.duplicate_since.get_or_insert(now.mono_ms);
                let patience = 2 * self.config.number("broker.session.timeout.ms") as u64;
                if now.mono_ms.saturating_sub(since) < patience {
                    return self.meet_later(now, AGAIN_MS);
                }
                return out.push(Output::Stop(format!(
                    "another broker is there as node {id}: stop it, or choose another --node-id \
                     and --data-dir"
                )));
            }
            ErrorCode::INCONSISTENT_CLUSTER_ID => {
                return self.met_another_cluster(now, None, out);
            }
            other => {
                return self.coordinator_away(now, &PeerGone(format!("it answers {other}")), out);
            }
        }
        self.membership.duplicate_since = None;
        self.membership.standing = Standing::Registered;
        self.membership.epoch = told.broker_epoch;
        self.membership.told_caught_up = false;
        let written = meta::join(self.files.as_mut(), id, &cluster).and_then(|()| {
            let boot_id = self.files.boot_id()?;
            self.files.checkpoint(LAST_EPOCH, &epoch_text(told.broker_epoch, &boot_id))
        });
        if let Err(error) = written {
            return out
                .push(Output::Stop(format!("the data directory cannot be written: {error}")));
        }
        self.coordinator_back(out);
        self.read_metadata(out);
        self.ask_next(out);
    }

    /// The coordinator has another cluster. At the start that is somebody's mistake with this broker; later it
    /// is one with the coordinator, and no reason to stop serving.
    pub(super) fn met_another_cluster(
        &mut self,
        now: Now,
        theirs: Option<&str>,
        out: &mut Vec<Output>,
    ) {
        self.membership.standing = Standing::Stranger;
        let own = self.cluster_id.as_deref().unwrap_or_default();
        let theirs = theirs.map_or("another one".into(), |id| format!("cluster {id}"));
        if !self.membership.ready {
            return out.push(Output::Stop(format!(
                "the data directory belongs to cluster {own}, the coordinator has {theirs}: choose \
                 another --data-dir, or another --coordinator"
            )));
        }
        let why = format!("the one that answers has {theirs}, expected cluster {own}");
        self.coordinator_away(now, &PeerGone(why), out);
    }

    pub(super) fn heartbeat_answered(
        &mut self,
        now: Now,
        told: BrokerHeartbeatResponse,
        out: &mut Vec<Output>,
    ) {
        self.membership.asking = false;
        match self.membership.leaving {
            Leaving::No => {}
            Leaving::Soon => return self.leave_now(now, out),
            Leaving::Told => return out.push(Output::Stopped),
        }
        match told.error_code {
            ErrorCode::NONE => {
                self.coordinator_back(out);
                let news = self.has_caught_up() && !self.membership.told_caught_up;
                let interval = self.config.number("broker.heartbeat.interval.ms") as u64;
                self.meet_later(now, if news { 0 } else { interval });
            }
            // The coordinator knows another broker of this id, or none.
            ErrorCode::STALE_BROKER_EPOCH | ErrorCode::BROKER_ID_NOT_REGISTERED => {
                self.membership.standing = Standing::Stranger;
                self.meet_later(now, AGAIN_MS);
            }
            other => self.coordinator_away(now, &PeerGone(format!("it answers {other}")), out),
        }
    }

    /// Whether it knows all that there was when it registered.
    pub(super) fn has_caught_up(&self) -> bool {
        self.following.loaded && self.applied as i64 > self.membership.epoch
    }

    /// It has read on. The coordinator hears at once that it has caught up.
    pub(super) fn may_have_caught_up(&mut self, now: Now) {
        let Membership { asking, told_caught_up, .. } = self.membership;
        if !asking && !told_caught_up && self.has_caught_up() {
            self.meet_later(now, 0);
        }
    }

    pub(super) fn coordinator_away(&mut self, now: Now, gone: &PeerGone, out: &mut Vec<Output>) {
        self.membership.asking = false;
        if self.membership.leaving != Leaving::No {
            return out.push(Output::Stopped);
        }
        if !std::mem::replace(&mut self.membership.away, true) {
            let (why, serves) = (gone.0.clone(), self.membership.ready);
            out.push(Output::Tell(Event::CoordinatorAway { why, serves }));
        }
        self.meet_later(now, AGAIN_MS);
    }

    /// It is told to stop. Others are to lead first what it leads; if nobody can be asked for that, it stops at
    /// once. (`BrokerServer`: controlled shutdown.)
    pub(super) fn leave(&mut self, now: Now, out: &mut Vec<Output>) {
        let Membership { standing, away, asking, .. } = self.membership;
        if standing != Standing::Registered || away {
            return out.push(Output::Stopped);
        }
        self.membership.leaving = Leaving::Soon;
        match asking {
            true => self.meet_later(now, LEAVE_MS),
            false => self.leave_now(now, out),
        }
    }

    fn leave_now(&mut self, now: Now, out: &mut Vec<Output>) {
        self.meet_later(now, LEAVE_MS);
        self.ask_next(out);
    }

    /// Everything is on the disk: what was written under this registration is still there at the next start,
    /// whatever becomes of the machine.
    pub(super) fn left_nothing_behind(&mut self) -> io::Result<()> {
        self.files.checkpoint(LAST_EPOCH, &epoch_text(self.membership.epoch, STOPPED_CLEANLY))
    }

    fn coordinator_back(&mut self, out: &mut Vec<Output>) {
        if std::mem::replace(&mut self.membership.away, false) {
            out.push(Output::Tell(Event::CoordinatorBack));
        }
    }

    fn meet_later(&mut self, now: Now, after_ms: u64) {
        if let Some(at) = self.membership.timer {
            self.timers.clear(at, Owner::Membership);
        }
        let at = now.mono_ms + after_ms;
        self.membership.timer = Some(at);
        self.timers.set(at, Owner::Membership);
    }
}

fn epoch_text(epoch: i64, boot_id: &str) -> String {
    let mut text = String::from("0\n");
    let _ = writeln!(text, "{epoch} {boot_id}");
    text
}

fn previous_epoch(text: &str, boot_id: &str) -> i64 {
    let line = text.lines().nth(1).and_then(|line| line.split_once(' '));
    let same = |written: &str| !boot_id.is_empty() && written == boot_id;
    let same = line.filter(|(_, written)| same(written) || *written == STOPPED_CLEANLY);
    same.and_then(|(epoch, _)| epoch.parse().ok()).unwrap_or(-1)
}
