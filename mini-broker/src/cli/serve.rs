//! `mini-broker serve`: brokers until SIGINT or SIGTERM. Without `--coordinator` the cluster is in this
//! one process: a coordinator, and one broker or several.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use tracing::info;

use super::Failure;
use super::http;
use super::nodes::{self, Bound, Running, Signals};
use crate::client;
use crate::configs::Config;
use crate::coordinator::METADATA_DIR;
use crate::engine::peers::Coordinator;
use crate::http::Node;
use crate::labs;
use crate::node::meta::META;

#[derive(clap::Args)]
pub struct Args {
    /// Where to listen, as HOST:PORT. Port 0 takes any that is free. With --brokers, where the first one
    /// listens; the others take the ports after it.
    #[arg(long, default_value = "127.0.0.1:9092", value_name = "HOST:PORT")]
    listen: String,
    /// What clients are told to connect to, if that is not where the broker listens.
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "brokers")]
    advertised_listener: Option<String>,
    /// Where the logs are kept. Made if it is not there.
    #[arg(long, default_value = ".mini-broker-data", value_name = "DIR")]
    data_dir: PathBuf,
    /// A setting under Kafka's name, such as num.partitions=4. May be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// A file that gets the port once the broker listens: for tests that ask for port 0. Of several
    /// brokers, a line each.
    #[arg(long, value_name = "FILE")]
    port_file: Option<PathBuf>,
    /// This broker's number in its cluster.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    node_id: i32,
    /// Where the cluster's coordinator listens. Without it this process has its own.
    #[arg(long, value_name = "HOST:PORT")]
    coordinator: Option<String>,
    /// So many brokers in this process and a coordinator for them, each in a directory of its own. The
    /// brokers are numbered from 1 on.
    #[arg(
        long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=9),
        conflicts_with_all = ["coordinator", "node_id"]
    )]
    brokers: Option<u16>,
    #[command(flatten)]
    http: http::HttpArgs,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    nodes::start_log();
    let mut signals = Signals::new()?;
    let nodes = start(&args);
    let nodes = tokio::select! {
        nodes = nodes => nodes?,
        () = signals.next() => return Ok(()), // nothing has begun
    };
    nodes::until_stopped(nodes, &mut signals).await
}

/// Starts what is asked for, and says so once clients may come.
async fn start(args: &Args) -> Result<Vec<Running>, Failure> {
    check_directory(args)?;
    let http = http::Bound::new(&args.http).await?;
    let mut shown = Vec::new();
    let count = args.brokers.unwrap_or(1);
    let mut running = Vec::new();
    let mut waiting = Vec::new();
    let mut coordinator = None;
    let mut coordinator_runs = None;
    let mut addresses = Vec::new();
    let mut advertised = Vec::new();
    for number in 0..count {
        let (node_id, dir) = match args.brokers {
            None => (args.node_id, args.data_dir.clone()),
            Some(_) => {
                (i32::from(number) + 1, args.data_dir.join(format!("broker-{}", number + 1)))
            }
        };
        let files = nodes::files(&dir)?;
        let listen = next_port(&args.listen, number)?;
        let bound = Bound::new(&listen, args.advertised_listener.as_deref()).await?;
        addresses.push(bound.listener.local_addr()?);
        advertised.push(client::address(&bound.host, bound.port.into()));
        let mut config = Config::new(node_id, &bound.host, bound.port);
        nodes::set_all(&mut config, &args.set)?;
        let route = match &coordinator {
            Some(route) => Coordinator::clone(route),
            None => {
                let route = match &args.coordinator {
                    Some(address) => {
                        let there = nodes::host_and_port(address)
                            .map_err(|failure| failure.about("--coordinator"))?;
                        if there == (bound.host.clone(), bound.port) {
                            return Err(Failure::new(format!(
                                "--coordinator {address} is where this broker itself listens; \
                                 expected where `mini-broker coordinator` does"
                            )));
                        }
                        info!("broker {node_id} looks for its coordinator at {address}");
                        Coordinator::At(address.clone())
                    }
                    None => {
                        let files = match args.brokers {
                            None => files.clone(),
                            Some(_) => nodes::files(&args.data_dir.join("coordinator"))?,
                        };
                        let config = match args.brokers {
                            None => config.clone(),
                            Some(_) => {
                                let mut config = Config::new(COORDINATOR, &bound.host, bound.port);
                                nodes::set_all(&mut config, &args.set)?;
                                config
                            }
                        };
                        let (runs, to_engine) = nodes::coordinator(config, files, None)?;
                        shown.push(Node {
                            broker: None,
                            to_engine: to_engine.clone(),
                            requests: None,
                            data_dir: match args.brokers {
                                None => args.data_dir.clone(),
                                Some(_) => args.data_dir.join("coordinator"),
                            },
                        });
                        coordinator_runs = Some(runs);
                        Coordinator::Here(to_engine)
                    }
                };
                coordinator.insert(route).clone()
            }
        };
        let requests = http.as_ref().map(|_| Arc::default());
        let (runs, ready) =
            nodes::broker(config, files, bound.listener, route, count > 1, requests.clone())?;
        shown.push(Node {
            broker: Some(node_id),
            to_engine: runs.to_engine.clone(),
            requests,
            data_dir: dir,
        });
        running.push(runs);
        waiting.push(ready);
    }
    // The brokers stop before their coordinator does.
    running.extend(coordinator_runs);
    for ready in &mut waiting {
        if ready.wait_for(|ready| *ready).await.is_err() {
            return Ok(running); // one of them has ended, and says why
        }
    }
    let ports: Vec<u16> = addresses.iter().map(|address| address.port()).collect();
    nodes::write_ports(args.port_file.as_ref(), &ports)?;
    println!("{}", labs::banner());
    for address in &addresses {
        println!("listening on {address}");
    }
    if let Some(http) = http {
        println!("dashboard on {}", http.url());
        http.serve(&advertised, shown).await?;
    }
    io::stdout().flush()?;
    Ok(running)
}

/// A directory is one broker's, a coordinator's, or that of a whole cluster.
fn check_directory(args: &Args) -> Result<(), Failure> {
    let dir = &args.data_dir;
    let has = |name: &str| dir.join(name).exists();
    let found = if args.coordinator.is_some() && has(METADATA_DIR) {
        "a metadata log: it is a coordinator's, or that of a broker with a coordinator of its own"
    } else if args.brokers.is_some() && has(META) {
        "a meta.properties: it is that of one node, not one for the directories of several brokers"
    } else if args.brokers.is_none() && has("broker-1/meta.properties") {
        "directories of several brokers, which are started with --brokers"
    } else {
        return Ok(());
    };
    let dir = dir.display();
    Err(Failure::new(format!("the data directory {dir} has {found}; choose another --data-dir")))
}

/// The coordinator's number where all of a cluster is in one process.
const COORDINATOR: i32 = 3000;

fn next_port(listen: &str, number: u16) -> Result<String, Failure> {
    let (_, port) = nodes::host_and_port(listen)?;
    let next = match port {
        0 => 0,
        port => port.checked_add(number).ok_or_else(|| {
            Failure::new(format!("--listen {listen}: there are no {number} ports after {port}"))
        })?,
    };
    let host = listen.rsplit_once(':').map_or(listen, |(host, _)| host);
    Ok(format!("{host}:{next}"))
}
