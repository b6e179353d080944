//! `mini-broker coordinator`: the coordinator of a cluster, until SIGINT or SIGTERM. Its brokers are
//! processes of their own: `mini-broker serve --coordinator HOST:PORT`.

use std::io::{self, Write};
use std::path::PathBuf;

use super::nodes::{self, Bound, Signals};
use super::{Failure, http};
use crate::configs::Config;
use crate::http::Node;
use crate::labs;

#[derive(clap::Args)]
pub struct Args {
    /// Where to listen for brokers, as HOST:PORT. Port 0 takes any that is free.
    #[arg(long, default_value = "127.0.0.1:9090", value_name = "HOST:PORT")]
    listen: String,
    /// Where the metadata log is kept. Made if it is not there.
    #[arg(long, default_value = ".mini-broker-coordinator", value_name = "DIR")]
    data_dir: PathBuf,
    /// A setting under Kafka's name, such as default.replication.factor=3. May be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// A file that gets the port once the coordinator listens: for tests that ask for port 0.
    #[arg(long, value_name = "FILE")]
    port_file: Option<PathBuf>,
    /// The coordinator's number in its cluster. Brokers have others.
    #[arg(long, default_value_t = 3000, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    node_id: i32,
    #[command(flatten)]
    http: http::HttpArgs,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    nodes::start_log();
    let http = http::Bound::new(&args.http).await?;
    let files = nodes::files(&args.data_dir)?;
    // Brokers are told with --coordinator where it is; nobody learns it from the cluster.
    let bound = Bound::new(&args.listen, Some(&args.listen)).await?;
    let address = bound.listener.local_addr()?;
    let port = address.port();
    let mut config = Config::new(args.node_id, &bound.host, port);
    nodes::set_all(&mut config, &args.set)?;
    let mut signals = Signals::new()?;
    let (coordinator, to_engine) = nodes::coordinator(config, files, Some(bound))?;
    nodes::write_ports(args.port_file.as_ref(), &[port])?;
    println!("{}", labs::banner());
    println!("coordinator, listening for brokers on {address}");
    if let Some(http) = http {
        println!("metrics on {}metrics", http.url());
        let data_dir = args.data_dir.clone();
        http.serve_numbers(vec![Node { broker: None, to_engine, requests: None, data_dir }]);
    }
    io::stdout().flush()?;
    nodes::until_stopped(vec![coordinator], &mut signals).await
}
