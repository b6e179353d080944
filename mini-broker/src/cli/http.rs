//! `--http`: where a broker has its dashboard, `/metrics` and Burrow's paths, and a coordinator its `/metrics`; and who may
//! ask there.

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tracing::info;

use crate::cli::{Failure, nodes};
use crate::client::Client;
use crate::http::guard::{Guard, SHORTEST_TOKEN, is_loopback};
use crate::http::{self, Node};

#[derive(clap::Args)]
pub struct HttpArgs {
    /// Also serve /metrics for Prometheus; a broker has a dashboard for the browser there, too, and Burrow's answers
    /// under /v3/kafka. Only this machine may ask
    #[arg(long, value_name = "HOST:PORT")]
    http: Option<String>,
    /// With --http: whoever asks must show this token, of at least 16 characters: open http://HOST:PORT/?token=TOKEN
    /// once, or send it as `Authorization: Bearer TOKEN`
    #[arg(long, value_name = "TOKEN", requires = "http")]
    http_token: Option<String>,
    /// With --http: other machines may ask too. Needs --http-token; what is sent is not encrypted
    #[arg(long, requires = "http_token")]
    http_beyond_loopback: bool,
}

/// The address is taken; nobody is served yet.
pub struct Bound {
    listener: TcpListener,
    at: SocketAddr,
    named: String,
    token: Option<String>,
}

impl Bound {
    /// `None`: nobody wants it.
    pub async fn new(args: &HttpArgs) -> Result<Option<Self>, Failure> {
        let Some(address) = &args.http else { return Ok(None) };
        let about = |failure: Failure| failure.about("--http");
        let (named, _) = nodes::host_and_port(address).map_err(about)?;
        if let Some(token) = &args.http_token {
            let fine = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
            if token.len() < SHORTEST_TOKEN || !token.chars().all(fine) {
                return Err(Failure::new(format!(
                    "--http-token: expected at least {SHORTEST_TOKEN} letters, digits or -._~, and this \
                     has {} characters",
                    token.chars().count()
                )));
            }
        }
        let listener = TcpListener::bind(address.as_str()).await;
        let listener = listener.map_err(|error| {
            Failure::new(format!("--http: cannot listen on {address}: {error}"))
        })?;
        let at = listener.local_addr()?;
        if !is_loopback(at.ip()) && !args.http_beyond_loopback {
            return Err(Failure::new(format!(
                "--http {address} can be reached from other machines, and whoever reaches it can change \
                 things; take 127.0.0.1, or say --http-beyond-loopback and a --http-token"
            )));
        }
        Ok(Some(Bound { listener, at, named, token: args.http_token.clone() }))
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.at)
    }

    /// Serves what a coordinator counts from now on, beside everything else.
    pub fn serve_numbers(self, nodes: Vec<Node>) {
        let guard = Guard::new(self.at, &self.named, self.token);
        tokio::spawn(http::serve_numbers(self.listener, nodes, guard));
    }

    /// Serves from now on, beside everything else. `brokers`: where those of this process are told to be.
    pub async fn serve(self, brokers: &[String], nodes: Vec<Node>) -> Result<(), Failure> {
        let bootstrap = brokers.join(",");
        let client = Client::connect(&bootstrap).await?;
        let guard = Guard::new(self.at, &self.named, self.token);
        info!("dashboard, /metrics and /v3/kafka on http://{}/", self.at);
        tokio::spawn(http::serve(self.listener, client, bootstrap, nodes, guard));
        Ok(())
    }
}
