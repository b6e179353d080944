//! A broker to run commands against, and the running of them.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

/// A broker on a port of its own and a directory of its own; killed when dropped.
pub struct Server {
    child: Child,
    address: String,
    /// Where the dashboard is, if there is one.
    http: String,
    data: TempDir,
}

impl Server {
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// With settings, such as `num.partitions=4`.
    pub fn with(settings: &[&str]) -> Self {
        Self::start_with(settings, &[])
    }

    /// With a dashboard on a port of its own.
    pub fn with_http(settings: &[&str], flags: &[&str]) -> Self {
        Self::start_with(settings, &[&["--http", "127.0.0.1:0"], flags].concat())
    }

    pub fn http(&self) -> &str {
        &self.http
    }

    /// A broker that is reached by a way on which every answer takes so long.
    #[allow(clippy::disallowed_methods, reason = "a real way, in real time")]
    pub fn far_away(settings: &[&str], delay: Duration) -> Self {
        let way = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = way.local_addr().unwrap().to_string();
        let mut server = Self::start_with(settings, &["--advertised-listener", &address]);
        let there = std::mem::replace(&mut server.address, address);
        thread::spawn(move || {
            for here in way.incoming().map_while(Result::ok) {
                let Ok(there) = TcpStream::connect(&there) else { return };
                let (from, mut to) = (here.try_clone().unwrap(), there.try_clone().unwrap());
                thread::spawn(move || io::copy(&mut &from, &mut to));
                thread::spawn(move || {
                    let (mut bytes, mut here) = ([0; 1 << 16], here);
                    while let Ok(read @ 1..) = (&there).read(&mut bytes) {
                        thread::sleep(delay);
                        if here.write_all(&bytes[..read]).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        server
    }

    fn start_with(settings: &[&str], flags: &[&str]) -> Self {
        let data = TempDir::new().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_mini-broker"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data.path())
            .args(settings.iter().flat_map(|setting| ["--set", setting]))
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut lines = out.lines().map_while(Result::ok);
        let mut said = |prefix: &str| {
            let found = lines.find_map(|line| Some(line.strip_prefix(prefix)?.to_owned()));
            found.unwrap_or_else(|| panic!("the broker does not say: {prefix}"))
        };
        let address = said("listening on ");
        let http = match flags.contains(&"--http") {
            true => said("dashboard on http://").trim_end_matches('/').to_owned(),
            false => String::new(),
        };
        Server { child, address, http, data }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// Runs a command against this broker.
    pub fn run(&self, line: &str, input: &[u8]) -> Output {
        let mut words = line.split(' ');
        let verb = if line.starts_with("perf ") { 2 } else { 1 };
        let mut args: Vec<&str> = words.by_ref().take(verb).collect();
        args.extend(["--bootstrap-server", &self.address]);
        args.extend(words);
        run(&args, input)
    }

    /// Starts a command that goes on until it is told to end.
    pub fn spawn(&self, line: &str) -> Child {
        Command::new(env!("CARGO_BIN_EXE_mini-broker"))
            .args(line.split(' '))
            .args(["--bootstrap-server", &self.address])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// The same, and it must go well: standard output.
    pub fn ok(&self, line: &str, input: &[u8]) -> String {
        let output = self.run(line, input);
        assert!(output.status.success(), "{line}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    pub fn fails(&self, line: &str) -> String {
        let output = self.run(line, b"");
        assert_eq!(output.status.code(), Some(1), "{line}");
        text(&output.stderr)
    }

    /// A command line that cannot be meant: refused with a sentence.
    pub fn refuses(&self, line: &str, sentence: &str) {
        let output = self.run(line, b"");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{line}: {said}");
        assert!(said.contains(sentence), "{line}: {said}");
        assert_eq!(text(&output.stdout), "", "{line}");
    }

    pub fn file(&self, path: &str) -> PathBuf {
        self.data.path().join(path)
    }

    /// Stops cleanly, so that the files are whole.
    pub fn stop(mut self) -> TempDir {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap();
        std::mem::replace(&mut self.data, TempDir::new().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn run(args: &[&str], input: &[u8]) -> Output {
    run_in(Path::new("."), args, input)
}

pub fn run_in(folder: &Path, args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mini-broker"))
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that refuses its arguments may be gone before it has read anything.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
