//! Runs cargo and test programs, with an end to each: a run can be stopped, and a loop without end ends.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What a program said and how it ended.
#[derive(Debug, Default)]
pub struct Ended {
    pub status: Option<ExitStatus>,
    pub stdout: String,
    pub stderr: String,
    pub stopped: bool,
    pub too_long: bool,
}

impl Ended {
    pub fn success(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }
}

/// Says whether to go on; shared with whoever may stop a run.
#[derive(Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The cargo that runs us, in the root of a checkout, building into a folder.
pub fn cargo(root: &Path, target: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(root)
        .env("CARGO_TARGET_DIR", target)
        .env("CARGO_TERM_COLOR", "never")
        .stdin(Stdio::null());
    command
}

/// Runs a program to its end, and not past `quiet` without a new line on its standard output.
pub fn run(mut command: Command, quiet: Option<Duration>, stop: &Stop) -> std::io::Result<Ended> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let stdout = Gathered::of(child.stdout.take());
    let stderr = Gathered::of(child.stderr.take());
    let mut ended = Ended::default();
    let mut heard = (0, Instant::now());
    loop {
        if let Some(status) = child.try_wait()? {
            ended.status = Some(status);
            break;
        }
        if stdout.len() != heard.0 {
            heard = (stdout.len(), Instant::now());
        }
        ended.stopped = stop.is_set();
        ended.too_long = quiet.is_some_and(|quiet| heard.1.elapsed() > quiet);
        if ended.stopped || ended.too_long {
            end(&mut child);
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    // A program that was ended may have left a child that still holds the pipe: nobody waits for that one.
    let cut = ended.stopped || ended.too_long;
    ended.stdout = if cut { stdout.so_far() } else { stdout.text() };
    ended.stderr = if cut { stderr.so_far() } else { stderr.text() };
    Ok(ended)
}

/// Kills one process of ours and waits until it is gone.
pub fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Collects a pipe on a thread of its own, so that a full pipe stops nobody.
pub struct Gathered {
    text: Arc<Mutex<Vec<u8>>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Gathered {
    pub fn of(pipe: Option<impl Read + Send + 'static>) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let thread = pipe.map(|mut pipe| {
            let text = Arc::clone(&text);
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(n @ 1..) = pipe.read(&mut buffer) {
                    if let Ok(mut text) = text.lock() {
                        text.extend_from_slice(&buffer[..n]);
                    }
                }
            })
        });
        Self { text, thread }
    }

    pub fn len(&self) -> usize {
        self.text.lock().map_or(0, |text| text.len())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What has been said so far.
    pub fn so_far(&self) -> String {
        let text = self.text.lock().map(|text| text.clone()).unwrap_or_default();
        String::from_utf8_lossy(&text).replace("\r\n", "\n")
    }

    fn text(mut self) -> String {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.so_far()
    }
}
