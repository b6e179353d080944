//! The nodes that a process runs: started, listened for, and stopped by a signal.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::Sender;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tracing::{Instrument, Span, info, info_span};
use tracing_subscriber::EnvFilter;
use wire::Listener;

use super::{Failure, terminal};
use crate::broker::Broker;
use crate::configs::Config;
use crate::coordinator::Coordinator;
use crate::disk::RealFiles;
use crate::engine::peers;
use crate::engine::{Engine, ToEngine};
use crate::listen;
use crate::numbers::requests::Requests;

/// Where a node listens.
pub struct Bound {
    pub listener: TcpListener,
    /// Where others are told to connect to.
    pub host: String,
    pub port: u16,
}

impl Bound {
    /// Takes the address. Port 0 takes any that is free.
    pub async fn new(listen: &str, advertised: Option<&str>) -> Result<Self, Failure> {
        let listener = TcpListener::bind(listen).await;
        let listener = listener.map_err(|error| not_listening(listen, &error))?;
        let address = listener.local_addr()?;
        let (host, port) = match advertised {
            Some(advertised) => host_and_port(advertised)?,
            None if address.ip().is_unspecified() => {
                return Err(Failure::new(format!(
                    "{listen} is every address of this machine; say with --advertised-listener \
                     which of them clients should use"
                )));
            }
            None => (host_and_port(listen)?.0, address.port()),
        };
        Ok(Self { listener, host, port })
    }
}

/// A node that runs.
pub struct Running {
    pub to_engine: Sender<ToEngine>,
    engine: JoinHandle<io::Result<()>>,
}

/// Starts a coordinator in a data directory; `bound`: brokers of other processes may come.
pub fn coordinator(
    config: Config,
    files: RealFiles,
    bound: Option<Bound>,
) -> Result<(Running, Sender<ToEngine>), Failure> {
    let max_request_bytes = config.number("socket.request.max.bytes") as usize;
    let node = Coordinator::new(config, Box::new(files.clone()), terminal::seed())?;
    let nowhere = peers::Coordinator::Nowhere;
    let (engine, to_engine) = Engine::new(node, "coordinator".into(), files, nowhere, Vec::new());
    let keyed = engine.keyed();
    let engine = tokio::spawn(engine.run());
    if let Some(bound) = bound {
        let (listener, takes) = (bound.listener, Listener::Controller);
        let to_engine = to_engine.clone();
        tokio::spawn(listen::listen(listener, takes, to_engine, keyed, max_request_bytes, None));
    }
    Ok((Running { to_engine: to_engine.clone(), engine }, to_engine))
}

/// Starts a broker in a data directory. It listens once it takes part in its cluster: the second value
/// becomes true. `requests`: where its clients' requests are counted.
pub fn broker(
    config: Config,
    files: RealFiles,
    bound: TcpListener,
    coordinator: peers::Coordinator,
    one_of_many: bool,
    requests: Option<Arc<Requests>>,
) -> Result<(Running, watch::Receiver<bool>), Failure> {
    let max_request_bytes = config.number("socket.request.max.bytes") as usize;
    let node_id = config.node_id;
    let name = format!("broker-{node_id}");
    let mut out = Vec::new();
    let node = Broker::new(config, Box::new(files.clone()), terminal::seed(), &mut out)?;
    let (engine, to_engine) = Engine::new(node, name, files, coordinator, out);
    let (keyed, ready) = (engine.keyed(), engine.ready());
    // Where there are several, each line of the log says whose it is.
    let span = if one_of_many { info_span!("broker", node = node_id) } else { Span::none() };
    let engine = tokio::spawn(engine.run().instrument(span));
    let (mut may_listen, sender) = (ready.clone(), to_engine.clone());
    tokio::spawn(async move {
        if may_listen.wait_for(|ready| *ready).await.is_ok() {
            let takes = Listener::Broker;
            listen::listen(bound, takes, sender, keyed, max_request_bytes, requests).await;
        }
    });
    Ok((Running { to_engine, engine }, ready))
}

/// Runs nodes until a signal comes, or one of them can do nothing any more. The first signal asks for a
/// clean stop, one after the other; the second does not wait for it.
pub async fn until_stopped(nodes: Vec<Running>, signals: &mut Signals) -> Result<(), Failure> {
    let mut senders = Vec::new();
    let mut engines = JoinSet::new();
    for (number, Running { to_engine, engine }) in nodes.into_iter().enumerate() {
        senders.push(to_engine);
        engines.spawn(async move { (number, engine.await) });
    }
    tokio::select! {
        () = signals.next() => info!("stopping"),
        Some(ended) = engines.join_next() => return Err(ended_early(ended.map(|(_, engine)| engine))),
    }
    let stop = async {
        let mut result = Ok(());
        for sender in senders {
            let _ = sender.send(ToEngine::Stop).await;
            let Some(ended) = engines.join_next().await else { break };
            result = result.and(match ended.and_then(|(_, engine)| engine) {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(Failure::new(format!("the stop was not clean: {error}"))),
                Err(panic) => {
                    Err(Failure::new(format!("the broker has a bug and stopped: {panic}")))
                }
            });
        }
        result
    };
    tokio::select! {
        stopped = stop => stopped,
        () = signals.next() => Err(Failure::new("stopped at once; the next start looks closer")),
    }
}

/// SIGINT and SIGTERM.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub fn new() -> io::Result<Self> {
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

fn ended_early(ended: Result<Result<io::Result<()>, JoinError>, JoinError>) -> Failure {
    match ended.and_then(|ended| ended) {
        Ok(Ok(())) => Failure::new("the engine stopped by itself"),
        Ok(Err(error)) => Failure::new(error.to_string()),
        Err(panic) => Failure::new(format!("the broker has a bug and stopped: {panic}")),
    }
}

fn not_listening(address: &str, error: &io::Error) -> Failure {
    let instead = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "; another broker may be running: stop it, or take another port, \
                                     such as --listen 127.0.0.1:9093"
        }
        _ => "",
    };
    Failure::new(format!("cannot listen on {address}: {error}{instead}"))
}

/// RUST_LOG says what is logged; without it everything from `info` on.
pub fn start_log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .try_init();
}

/// A data directory, made if need be and locked.
pub fn files(dir: &Path) -> Result<RealFiles, Failure> {
    Ok(RealFiles::open(dir, open_files())?)
}

/// Asks the system for as many files as it gives, and keeps half of them for connections.
fn open_files() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let now =
        if setrlimit(Resource::Nofile, raised).is_ok() { limit.maximum } else { limit.current };
    (now.unwrap_or(u64::MAX) / 2).clamp(64, 100_000) as usize
}

pub fn host_and_port(text: &str) -> Result<(String, u16), Failure> {
    let parts = text.rsplit_once(':').and_then(|(host, port)| {
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        Some((host.to_string(), port.parse().ok()?))
    });
    parts.ok_or_else(|| Failure::new(format!("{text}: expected HOST:PORT, such as 127.0.0.1:9092")))
}

/// Settings as they are given on the command line.
pub fn set_all(config: &mut Config, settings: &[String]) -> Result<(), Failure> {
    for set in settings {
        let (name, value) = set.split_once('=').ok_or_else(|| {
            Failure::new(format!("--set {set}: expected NAME=VALUE, such as num.partitions=4"))
        })?;
        config
            .set(name.trim(), value.trim())
            .map_err(|why| Failure::new(format!("--set: {why}")))?;
    }
    Ok(())
}

/// Writes the ports, a line each. Whoever waits for the file finds all of it or none.
pub fn write_ports(file: Option<&PathBuf>, ports: &[u16]) -> io::Result<()> {
    let Some(file) = file else { return Ok(()) };
    let temporary = file.with_extension("tmp");
    let lines: String = ports.iter().map(|port| format!("{port}\n")).collect();
    fs::write(&temporary, lines)?;
    fs::rename(temporary, file)
}
