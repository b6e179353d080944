//! `doctor`: what is missing on this machine, and the command that mends it.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::commands::broker::PORT;
use crate::failure::{NOT_DONE, Result, read_or_empty};
use crate::kit::Kit;
use crate::paint::{self, Line, Style};

/// What everything together takes: labs, broker and book, in debug builds.
const WANTED_GIB: f64 = 3.0;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    Good(String),
    /// The workshop does not work without it.
    Missing(String),
    /// Some pages use it.
    Optional(String),
}

struct Check {
    what: &'static str,
    found: Found,
    mend: String,
}

pub fn doctor(kit: &Kit) -> Result<u8> {
    let checks = [rust(kit), linker(), disk(&kit.root), port(), git(), kcat(), java()];
    let mut lines = Vec::new();
    for check in &checks {
        let (style, sign, text) = match &check.found {
            Found::Good(text) => (Style::Good, "✓", text),
            Found::Missing(text) => (Style::Bad, "✗", text),
            Found::Optional(text) => (Style::Dim, "·", text),
        };
        lines.push(
            Line::new().with(style, format!("{sign} ")).plain(format!("{:<12}{text}", check.what)),
        );
        if !matches!(check.found, Found::Good(_)) {
            lines.extend(check.mend.lines().map(|line| Line::new().to(14).mark(line)));
        }
    }
    let missing = checks.iter().filter(|check| matches!(check.found, Found::Missing(_))).count();
    lines.push(Line::new());
    lines.push(match missing {
        0 => Line::new()
            .bold("Nothing is missing.")
            .plain(" Open the workshop: ")
            .mark("cargo workshop"),
        1 => Line::new().bold("One thing is missing: see ✗ above."),
        n => Line::new().bold(format!("{n} things are missing: see ✗ above.")),
    });
    paint::print(&lines);
    Ok(if missing == 0 { 0 } else { NOT_DONE })
}

fn rust(kit: &Kit) -> Check {
    let manifest = read_or_empty(&kit.path("Cargo.toml"));
    let wanted = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "))
        .map_or("1.88", |version| version.trim().trim_matches('"'));
    let said = first_line("rustc", &["--version"]);
    let version = said.as_deref().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
    let found = match said.as_deref() {
        Some(line) if numbers(version) >= numbers(wanted) => Found::Good(line.to_owned()),
        Some(line) => Found::Missing(format!("{line}, and {wanted} is the oldest that will do")),
        None => Found::Missing("there is no rustc on the path".to_owned()),
    };
    Check {
        what: "Rust",
        found,
        mend: "rustup update stable      (rustup: https://rustup.rs)".to_owned(),
    }
}

/// `1.95.0` → [1, 95, 0].
fn numbers(version: &str) -> Vec<u32> {
    version.split(['.', '-']).map_while(|part| part.parse().ok()).collect()
}

/// This program was linked on this machine, so on Windows, where the linker hides, that is proof enough.
fn linker() -> Check {
    let said =
        if cfg!(windows) { Some("works".to_owned()) } else { first_line("cc", &["--version"]) };
    let found = match said {
        Some(line) => Found::Good(line),
        None => Found::Missing("there is no cc on the path".to_owned()),
    };
    let mend = mend(
        "sudo apt install build-essential",
        "xcode-select --install",
        "winget install Microsoft.VisualStudio.2022.BuildTools",
    );
    Check { what: "C linker", found, mend }
}

fn disk(root: &Path) -> Check {
    let free = if cfg!(windows) {
        let drive = root.to_string_lossy().chars().next().unwrap_or('C');
        let script = format!("(Get-PSDrive -Name {drive}).Free");
        first_line("powershell", &["-NoProfile", "-Command", &script])
            .and_then(|line| line.trim().parse::<f64>().ok())
            .map(|bytes| bytes / 1024f64.powi(3))
    } else {
        df(&output("df", &["-Pk", &root.to_string_lossy()]).unwrap_or_default())
    };
    let found = match free {
        Some(free) if free >= WANTED_GIB => Found::Good(format!("{free:.0} GiB free")),
        Some(free) => Found::Missing(format!("{free:.1} GiB free, and {WANTED_GIB:.0} are wanted")),
        None => Found::Optional("could not ask how much is free".to_owned()),
    };
    let mend =
        "cargo clean      (throws away what was built, here and in other checkouts)".to_owned();
    Check { what: "Disk", found, mend }
}

/// The fourth column of the last line of `df -Pk`, in GiB.
fn df(output: &str) -> Option<f64> {
    let available = output.lines().last()?.split_whitespace().nth(3)?;
    Some(available.parse::<f64>().ok()? / 1024.0 / 1024.0)
}

fn port() -> Check {
    let found = match TcpListener::bind(("127.0.0.1", PORT)) {
        Ok(_) => Found::Good(format!("{PORT} is free")),
        Err(_) => Found::Optional(format!(
            "{PORT} is taken: a broker that runs already? Ours takes another"
        )),
    };
    let mend = mend(
        &format!("ss -ltnp 'sport = :{PORT}'"),
        &format!("lsof -nP -iTCP:{PORT} -sTCP:LISTEN"),
        &format!("Get-NetTCPConnection -LocalPort {PORT}"),
    );
    Check { what: "Port", found, mend }
}

fn git() -> Check {
    let found = optional(
        first_line("git", &["--version"]),
        "no git: fine, but no way back through your own history",
    );
    let mend = mend("sudo apt install git", "xcode-select --install", "winget install Git.Git");
    Check { what: "git", found, mend }
}

fn kcat() -> Check {
    let said = output("kcat", &["-V"]).or_else(|| output("kafkacat", &["-V"])).and_then(|text| {
        text.lines().find(|line| line.starts_with("Version")).map(|line| line.to_lowercase())
    });
    let found = optional(said, "no kcat: the small Kafka client of chapter 1");
    let mend = mend("sudo apt install kcat", "brew install kcat", "in WSL: sudo apt install kcat");
    Check { what: "kcat", found, mend }
}

fn java() -> Check {
    let found = optional(first_line("java", &["-version"]), "no java: only for Kafka's own tools");
    let mend = mend(
        "sudo apt install default-jre-headless",
        "brew install openjdk",
        "winget install EclipseAdoptium.Temurin.21.JRE",
    );
    Check { what: "java", found, mend }
}

fn optional(said: Option<String>, missing: &str) -> Found {
    match said {
        Some(line) => Found::Good(line),
        None => Found::Optional(missing.to_owned()),
    }
}

fn mend(debian: &str, mac: &str, windows: &str) -> String {
    if cfg!(windows) {
        windows.to_owned()
    } else if cfg!(target_os = "macos") {
        mac.to_owned()
    } else {
        debian.to_owned()
    }
}

fn first_line(program: &str, args: &[&str]) -> Option<String> {
    output(program, args)?.lines().find(|line| !line.trim().is_empty()).map(str::to_owned)
}

/// What a program says, on either stream; nothing where it is missing or fails.
fn output(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).stdin(Stdio::null()).output().ok()?;
    if !output.status.success() {
        return None;
    }
    let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    Some(String::from_utf8_lossy(&text).into_owned())
}
