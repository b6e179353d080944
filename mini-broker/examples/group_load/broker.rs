//! The broker as a process: what `/proc` says of it, which only Linux has.

use std::fs::read_to_string;

/// Linux tells CPU time in hundredths of a second.
const TICKS_PER_S: f64 = 100.0;

pub struct Broker {
    pid: Option<u32>,
}

impl Broker {
    pub fn of(pid: Option<u32>) -> Self {
        Broker { pid }
    }

    /// Memory that it has resident; 0 if nobody knows.
    pub fn rss_kib(&self) -> u64 {
        let status = self.read("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
    }

    /// CPU seconds so far; 0 if nobody knows.
    pub fn cpu_s(&self) -> f64 {
        let stat = self.read("stat");
        // The name may have spaces; it ends with the last bracket.
        let fields: Vec<&str> =
            stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|field| field.parse().ok()).unwrap_or(0u64);
        (ticks(11) + ticks(12)) as f64 / TICKS_PER_S
    }

    fn read(&self, name: &str) -> String {
        let path = self.pid.map(|pid| format!("/proc/{pid}/{name}"));
        path.and_then(|path| read_to_string(path).ok()).unwrap_or_default()
    }
}
