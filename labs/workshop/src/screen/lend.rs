//! Lends Kafka's port to `cargo workshop broker --mine`.
//!
//! A page says `kcat -b 127.0.0.1:9092`. When the learner's own broker runs, that must be theirs: a message that lands
//! in the reference broker instead would look like a mistake of their log. So the reference steps aside while it runs.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::behind::Behind;
use super::state::Service;
use crate::commands::broker::{PORT, asked_for};
use crate::kit::Kit;

/// How long a broker may take until it listens.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_secs(1);

pub struct Lend {
    /// Stands there while somebody wants the port.
    sign: PathBuf,
    lent: Option<Lent>,
}

struct Lent {
    since: Instant,
    looked: Instant,
    seen: bool,
}

impl Lend {
    pub fn new(kit: &Kit) -> Self {
        let sign = asked_for(kit);
        // One that stands from an earlier time asks nobody any more.
        let _ = std::fs::remove_file(&sign);
        Self { sign, lent: None }
    }

    /// Looks whether the port is asked for, or has come back; says how the broker's line changes.
    pub fn look(&mut self, broker: &Service, behind: &Behind) -> Option<Service> {
        let Some(lent) = &mut self.lent else {
            let ours = matches!(broker, Service::Serving(at) if at.ends_with(&format!(":{PORT}")));
            if ours && self.sign.exists() && behind.end_broker() {
                self.lent =
                    Some(Lent { since: Instant::now(), looked: Instant::now(), seen: false });
                return Some(Service::Lent(format!("yours, 127.0.0.1:{PORT}")));
            }
            return None;
        };
        if lent.looked.elapsed() < LOOK {
            return None;
        }
        lent.looked = Instant::now();
        let up = listens();
        lent.seen |= up;
        if up || (!lent.seen && lent.since.elapsed() < PATIENCE) {
            return None;
        }
        let _ = std::fs::remove_file(&self.sign);
        self.lent = None;
        behind.start_broker();
        Some(Service::Building)
    }
}

/// Asked by connecting: taking the port to see whether it is free could take it from a broker that starts.
fn listens() -> bool {
    let port = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
    TcpStream::connect_timeout(&port, Duration::from_millis(100)).is_ok()
}
