//! A node of one's own for the time of an experiment: this same program as another process, on a port
//! of 127.0.0.1, with its data in a folder that goes when the experiment does.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs, io, process};

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use crate::cli::Failure;

/// A node starts within milliseconds; a machine that is busy may take longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A folder that is removed in the end.
pub struct Room(PathBuf);

impl Room {
    pub fn new() -> io::Result<Self> {
        let folder = env::temp_dir().join(format!("mini-broker-experiment-{}", process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    pub fn folder(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Killed when dropped: nothing of it is kept, so it need not stop cleanly.
pub struct OwnNode {
    process: Child,
    pub port: u16,
    /// What it has to say goes to this file, or, if there is none, to standard error as it comes.
    said: Option<PathBuf>,
}

impl OwnNode {
    /// Starts `serve` or `coordinator`, and waits until clients may come. Port 0: any that is free.
    pub async fn start(
        command: &str,
        more: &[&str],
        folder: &Path,
        port: u16,
    ) -> Result<Self, Failure> {
        Self::start_saying(command, more, folder, port, None).await
    }

    /// A single broker on any port that is free. What it has to say is kept until it is dropped, and
    /// said then: until then the screen is needed.
    pub async fn start_quiet(
        settings: &[&str],
        flags: &[&str],
        folder: &Path,
    ) -> Result<Self, Failure> {
        let mut more: Vec<&str> = settings.iter().flat_map(|setting| ["--set", *setting]).collect();
        more.extend(flags);
        let said = Some(folder.join("said"));
        Self::start_saying("serve", &more, folder, 0, said).await
    }

    async fn start_saying(
        command: &str,
        more: &[&str],
        folder: &Path,
        port: u16,
        said: Option<PathBuf>,
    ) -> Result<Self, Failure> {
        fs::create_dir_all(folder)?;
        let stderr = match &said {
            Some(file) => Stdio::from(fs::File::create(file)?),
            None => Stdio::inherit(),
        };
        let port_file = folder.join("port");
        match fs::remove_file(&port_file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        // What a broker has to complain of is shown; that a topic was made is not. A coordinator
        // complains of deaths, which here are wanted.
        let log = if command == "coordinator" { "error" } else { "warn" };
        let process = Command::new(env::current_exe()?)
            .args([command, "--listen", &format!("127.0.0.1:{port}"), "--data-dir"])
            .arg(folder.join("data"))
            .arg("--port-file")
            .arg(&port_file)
            .args(more)
            .env("RUST_LOG", log)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()?;
        let mut node = Self { process, port, said };
        let give_up = Instant::now() + PATIENCE;
        while Instant::now() < give_up && node.process.try_wait()?.is_none() {
            if let Some(port) = read_port(&port_file)? {
                node.port = port;
                return Ok(node);
            }
            sleep(Duration::from_millis(10)).await;
        }
        Err(Failure::new(format!("`mini-broker {command}` for this experiment did not start")))
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// kill -9. Whatever it has not handed to the operating system is gone.
    pub fn kill(&mut self) -> io::Result<()> {
        self.process.kill()
    }

    /// The process stands still and does not notice it, as on a machine that hangs.
    pub fn pause(&self) -> io::Result<()> {
        Ok(kill_process(Pid::from_child(&self.process), Signal::STOP)?)
    }

    pub fn resume(&self) -> io::Result<()> {
        Ok(kill_process(Pid::from_child(&self.process), Signal::CONT)?)
    }
}

impl Drop for OwnNode {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if let Some(said) = self.said.as_ref().and_then(|file| fs::read_to_string(file).ok()) {
            eprint!("{said}");
        }
    }
}

fn read_port(file: &Path) -> io::Result<Option<u16>> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(text.trim().parse().ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
