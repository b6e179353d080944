//! A broker of one's own for the time of an experiment: this same program as another process, on a
//! free port of 127.0.0.1, with its data in a folder that goes when it goes.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs, io, process};

use tokio::time::{Instant, sleep};

use crate::cli::Failure;

/// A broker starts within milliseconds; a machine that is busy may take longer.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct OwnBroker {
    process: Child,
    folder: PathBuf,
    pub address: String,
}

impl OwnBroker {
    pub async fn start() -> Result<Self, Failure> {
        let folder = env::temp_dir().join(format!("mini-broker-experiment-{}", process::id()));
        fs::create_dir_all(&folder)?;
        let port_file = folder.join("port");
        let process = Command::new(env::current_exe()?)
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(folder.join("data"))
            .arg("--port-file")
            .arg(&port_file)
            // What it has to complain of is shown; that a topic was made is not.
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        let mut broker = Self { process, folder, address: String::new() };
        let give_up = Instant::now() + PATIENCE;
        while Instant::now() < give_up && broker.process.try_wait()?.is_none() {
            if let Some(port) = read_port(&port_file)? {
                broker.address = format!("127.0.0.1:{port}");
                return Ok(broker);
            }
            sleep(Duration::from_millis(10)).await;
        }
        Err(Failure::new("the broker for this experiment did not start"))
    }
}

fn read_port(file: &PathBuf) -> io::Result<Option<u16>> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(text.trim().parse().ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl Drop for OwnBroker {
    /// Nothing of it is kept, so it need not stop cleanly.
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
