//! A small file server for one reader: loopback only, GET only, everything in memory.
//!
//! A build is swapped in whole, so that a page is never seen half written, and a stopped server
//! leaves nothing behind. A request can name only what a build produced.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use crate::{Result, render, source};

/// How often files are looked at, and how often an open page asks.
const POLL: Duration = Duration::from_secs(1);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_HEAD_BYTES: u64 = 16 * 1024;

/// An open page asks for the version, and loads itself again when it has changed.
const VERSION_PATH: &str = "-/version";
const RELOAD: &str = r#"<script>
(() => {
    let seen = null;
    setInterval(async () => {
        try {
            const now = await (await fetch("/-/version", { cache: "no-store" })).text();
            if (seen !== null && seen !== now) location.reload();
            seen = now;
        } catch { /* the server is gone, or not back yet */ }
    }, 1000);
})();
</script>
"#;

/// One build: URL path without the leading slash → bytes.
struct Site {
    version: u64,
    files: BTreeMap<String, Vec<u8>>,
}

pub fn serve(port: u16, open: bool) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .map_err(|e| format!("port {port} of 127.0.0.1: {e}; `--port 0` takes a free one"))?;
    let mut seen = newest()?;
    let site = Arc::new(Mutex::new(Arc::new(build(1)?)));
    let url = format!("http://{}", listener.local_addr()?);
    println!("book at {url}");
    std::io::stdout().flush()?;
    if open {
        show(&url);
    }

    let shared = Arc::clone(&site);
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(POLL);
            let Ok(now) = newest() else { continue };
            if now == seen {
                continue;
            }
            seen = now;
            let version = shared.lock().expect("no panic under the lock").version + 1;
            match build(version) {
                Ok(built) => {
                    *shared.lock().expect("no panic under the lock") = Arc::new(built);
                    eprintln!("built again");
                }
                Err(error) => eprintln!("still the book before that change: {error}"),
            }
        }
    });

    for stream in listener.incoming() {
        let Ok(stream) = stream else { continue };
        let site = Arc::clone(&site.lock().expect("no panic under the lock"));
        std::thread::spawn(move || {
            // A browser that goes away is no event.
            let _ = answer(stream, &site);
        });
    }
    Ok(())
}

fn build(version: u64) -> Result<Site> {
    let dir = tempfile::tempdir()?;
    render::build(dir.path())?;
    let mut files = BTreeMap::new();
    for path in source::files_below(dir.path())? {
        let name = path.strip_prefix(dir.path())?.to_string_lossy().replace('\\', "/");
        let mut bytes = std::fs::read(&path)?;
        if name.ends_with(".html") {
            let html = String::from_utf8(bytes)?;
            bytes = html.replace("</body>", &format!("{RELOAD}</body>")).into_bytes();
        }
        files.insert(name, bytes);
    }
    Ok(Site { version, files })
}

/// The state of everything a page may include: how many files, and the latest change.
fn newest() -> Result<(usize, SystemTime)> {
    let root = render::workspace();
    let mut files: Vec<PathBuf> = vec![render::book().join("book.toml")];
    for dir in ["book/src", "book/theme", "labs", "solutions"] {
        files.extend(source::files_below(&root.join(dir))?);
    }
    let mut latest = SystemTime::UNIX_EPOCH;
    for file in &files {
        // A file may vanish between listing and looking: an editor's swap file.
        if let Ok(changed) = std::fs::metadata(file).and_then(|m| m.modified()) {
            latest = latest.max(changed);
        }
    }
    Ok((files.len(), latest))
}

fn answer(mut stream: TcpStream, site: &Site) -> std::io::Result<()> {
    stream.set_read_timeout(Some(REQUEST_TIMEOUT))?;
    stream.set_write_timeout(Some(REQUEST_TIMEOUT))?;
    let mut head = BufReader::new((&stream).take(MAX_HEAD_BYTES));
    let mut request = String::new();
    head.read_line(&mut request)?;
    let mut line = String::new();
    while head.read_line(&mut line)? > 2 {
        line.clear();
    }

    let mut words = request.split_whitespace();
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or("/"));
    let version = site.version.to_string();
    let path = decoded(target.split(['?', '#']).next().unwrap_or("/"));
    let (status, kind, body): (&str, &str, &[u8]) = match (method, path.as_str()) {
        ("GET" | "HEAD", VERSION_PATH) => ("200 OK", "text/plain", version.as_bytes()),
        ("GET" | "HEAD", path) => {
            let name = if path.is_empty() { "index.html" } else { path };
            match site.files.get(name) {
                Some(bytes) => ("200 OK", kind_of(name), bytes),
                None => ("404 Not Found", "text/html; charset=utf-8", site.not_found()),
            }
        }
        _ => ("405 Method Not Allowed", "text/plain", b"this server only reads\n"),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
         Cache-Control: no-cache\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    if method != "HEAD" {
        stream.write_all(body)?;
    }
    stream.flush()
}

impl Site {
    fn not_found(&self) -> &[u8] {
        self.files.get("404.html").map_or(b"no such page\n", Vec::as_slice)
    }
}

/// Takes the leading slash and `%20` and its like out of a URL's path.
fn decoded(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.trim_start_matches('/').as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|h| std::str::from_utf8(h).ok());
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(byte) if first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn kind_of(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or("") {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "txt" | "md" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Asks the desktop to show a page. Where there is none, the printed address has to do.
fn show(url: &str) {
    let program = match std::env::consts::OS {
        "macos" => "open",
        "windows" => "explorer",
        _ => "xdg-open",
    };
    let shown = Command::new(program).arg(url).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    if shown.is_err() {
        eprintln!("no browser found: open {url}");
    }
}
