//! `mini-broker serve`: one broker until SIGINT or SIGTERM.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::Sender;
use tokio::task::{JoinError, JoinHandle};
use tracing::info;
use tracing_subscriber::EnvFilter;

use super::{Failure, terminal};
use crate::broker::{Broker, Config};
use crate::disk::RealFiles;
use crate::engine::{Engine, ToEngine};
use crate::{labs, listen};

#[derive(clap::Args)]
pub struct Args {
    /// Where to listen, as HOST:PORT. Port 0 takes any that is free.
    #[arg(long, default_value = "127.0.0.1:9092", value_name = "HOST:PORT")]
    listen: String,
    /// What clients are told to connect to, if that is not where the broker listens.
    #[arg(long, value_name = "HOST:PORT")]
    advertised_listener: Option<String>,
    /// Where the logs are kept. Made if it is not there.
    #[arg(long, default_value = ".mini-broker-data", value_name = "DIR")]
    data_dir: PathBuf,
    /// A setting under Kafka's name, such as num.partitions=4. May be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// A file that gets the port once the broker listens: for tests that ask for port 0.
    #[arg(long, value_name = "FILE")]
    port_file: Option<PathBuf>,
    /// This broker's number in its cluster.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    node_id: i32,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    start_log();
    let files = RealFiles::open(&args.data_dir, open_files())?;
    let listener = TcpListener::bind(&args.listen)
        .await
        .map_err(|error| not_listening(&args.listen, &error))?;
    let address = listener.local_addr()?;
    let (host, port) = match &args.advertised_listener {
        Some(advertised) => host_and_port(advertised)?,
        None if address.ip().is_unspecified() => {
            return Err(Failure::new(format!(
                "{} is every address of this machine; say with --advertised-listener which of \
                 them clients should use",
                args.listen
            )));
        }
        None => (host_and_port(&args.listen)?.0, address.port()),
    };
    let mut config = Config::new(args.node_id, &host, port);
    for set in &args.set {
        let (name, value) = set.split_once('=').ok_or_else(|| {
            Failure::new(format!("--set {set}: expected NAME=VALUE, such as num.partitions=4"))
        })?;
        config
            .set(name.trim(), value.trim())
            .map_err(|why| Failure::new(format!("--set: {why}")))?;
    }
    let max_request_bytes = config.number("socket.request.max.bytes") as usize;
    let mut out = Vec::new();
    let broker = Broker::new(config, Box::new(files.clone()), terminal::seed(), &mut out)?;
    let mut signals = Signals::new()?;
    let (engine, to_engine) = Engine::new(broker, files, out);
    let keyed = engine.keyed();
    let engine = tokio::spawn(engine.run());
    let listening = listen::listen(listener, to_engine.clone(), keyed, max_request_bytes);
    let listening = tokio::spawn(listening);

    if let Some(file) = &args.port_file {
        write_port(file, address.port())?;
    }
    println!("{}", labs::banner());
    println!("listening on {address}");
    io::stdout().flush()?;

    let stopped = until_stopped(engine, to_engine, &mut signals).await;
    listening.abort();
    stopped
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

/// The first signal asks for a clean stop, the second does not wait for it.
async fn until_stopped(
    mut engine: JoinHandle<io::Result<()>>,
    to_engine: Sender<ToEngine>,
    signals: &mut Signals,
) -> Result<(), Failure> {
    tokio::select! {
        () = signals.next() => info!("stopping"),
        ended = &mut engine => return Err(ended_early(ended)),
    }
    let stop = async {
        let _ = to_engine.send(ToEngine::Stop).await;
        engine.await
    };
    tokio::select! {
        stopped = stop => match stopped {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Failure::new(format!("the stop was not clean: {error}"))),
            Err(panic) => Err(Failure::new(format!("the broker has a bug and stopped: {panic}"))),
        },
        () = signals.next() => Err(Failure::new("stopped at once; the next start looks closer")),
    }
}

/// SIGINT and SIGTERM.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

fn ended_early(ended: Result<io::Result<()>, JoinError>) -> Failure {
    match ended {
        Ok(_) => Failure::new("the engine stopped by itself"),
        Err(panic) => Failure::new(format!("the broker has a bug and stopped: {panic}")),
    }
}

/// RUST_LOG says what is logged; without it everything from `info` on.
fn start_log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .try_init();
}

/// Asks the system for as many files as it gives, and keeps half of them for connections.
fn open_files() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let now =
        if setrlimit(Resource::Nofile, raised).is_ok() { limit.maximum } else { limit.current };
    (now.unwrap_or(u64::MAX) / 2).clamp(64, 100_000) as usize
}

fn host_and_port(text: &str) -> Result<(String, u16), Failure> {
    let parts = text.rsplit_once(':').and_then(|(host, port)| {
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        Some((host.to_string(), port.parse().ok()?))
    });
    parts.ok_or_else(|| Failure::new(format!("{text}: expected HOST:PORT, such as 127.0.0.1:9092")))
}

/// Whoever waits for the file finds all of it or none.
fn write_port(file: &Path, port: u16) -> io::Result<()> {
    let temporary = file.with_extension("tmp");
    fs::write(&temporary, format!("{port}\n"))?;
    fs::rename(temporary, file)
}
