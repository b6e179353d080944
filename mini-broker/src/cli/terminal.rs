//! What several commands need at the prompt: standard output behind one buffer, progress for long
//! work, times that a person can read.

use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufWriter, IsTerminal, StderrLock, Stdout, Write};
use std::time::{Duration, Instant};

use super::Failure;
use crate::{client, labs};

/// Where a command looks for a broker unless told otherwise.
pub const DEFAULT_SERVER: &str = "127.0.0.1:9092";

impl From<client::Error> for Failure {
    fn from(error: client::Error) -> Self {
        Failure::new(error.to_string())
    }
}

/// For a command that writes to a topic with the organ of lab 2. A learner sees that it is theirs,
/// also in a file of errors; standard output stays Kafka's, and ours needs no word.
pub fn say_whose_partitioner() {
    if let Some(organ) = labs::yours("partitions") {
        eprintln!("your {} ({}/src) chooses each message's partition", organ.lab, organ.folder);
    }
}

/// `NAME=VALUE` on a command line. The value may hold further signs of equality.
pub fn name_value(argument: &str) -> Result<(String, String), String> {
    match argument.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

/// Buffered standard output. When its reader is gone (`… | head`), there is nothing left to do:
/// the process ends, quietly.
pub struct Out(BufWriter<Stdout>);

pub fn out() -> Out {
    Out(BufWriter::with_capacity(64 << 10, io::stdout()))
}

/// One line, for commands that print little and seldom.
pub fn say(line: std::fmt::Arguments<'_>) {
    let mut out = out();
    // A full disk behind `>` is no reason to stop measuring.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).inspect_err(quit_if_unread)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().inspect_err(quit_if_unread)
    }
}

fn quit_if_unread(error: &io::Error) {
    if error.kind() == io::ErrorKind::BrokenPipe {
        std::process::exit(0);
    }
}

/// One line on standard error that is written over again and again, only if someone is looking.
pub struct Progress {
    shown: bool,
    next: Instant,
    every: Duration,
}

impl Progress {
    /// For a command that prints next to nothing to standard output.
    pub fn alone() -> Self {
        Self::if_watched(io::stderr().is_terminal())
    }

    /// For a command that also prints to standard output: silent if both are the same screen.
    pub fn beside_output() -> Self {
        Self::if_watched(io::stderr().is_terminal() && !io::stdout().is_terminal())
    }

    fn if_watched(watched: bool) -> Self {
        let every = Duration::from_millis(200);
        let first = if watched { every } else { Duration::from_secs(u32::MAX.into()) };
        Progress { shown: false, next: now() + first, every }
    }

    pub fn update(&mut self, line: impl FnOnce() -> String) {
        let now = now();
        if now >= self.next {
            self.next = now + self.every;
            self.shown = true;
            let mut err: StderrLock<'_> = io::stderr().lock();
            // `\x1b[K` wipes what an earlier, longer line left behind.
            let _ = write!(err, "\r{}\x1b[K", line());
            let _ = err.flush();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            eprint!("\r\x1b[K");
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "commands are shell: they wait, measure and stamp")]
pub fn now() -> Instant {
    Instant::now()
}

/// Milliseconds since 1970.
#[allow(clippy::disallowed_methods, reason = "commands are shell: they wait, measure and stamp")]
pub fn wall_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as i64)
}

/// `123456` as `123,456`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `2024-11-22 01:46:40.010`, in UTC; the last mark is `.` for people and `:` for Kafka's tables.
pub fn utc(ms: i64, last_mark: char) -> String {
    let (days, of_day) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    let (year, month, day) = civil(days);
    let (hour, minute) = (of_day / 3_600_000, of_day / 60_000 % 60);
    let (second, milli) = (of_day / 1_000 % 60, of_day % 1_000);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}{last_mark}{milli:03}")
}

/// Year, month and day of a number of days since 1970-01-01. The year is counted from March, so
/// that the day that is sometimes missing is the last one; eras of 400 years are all alike.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// Chance, for a program that has no seed to repeat. The standard library's hasher is seeded by the
/// system.
pub fn seed() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

#[cfg(test)]
mod tests {
    use super::utc;

    #[test]
    fn times_read_as_a_calendar() {
        assert_eq!(utc(0, '.'), "1970-01-01 00:00:00.000");
        assert_eq!(utc(951_782_400_000, '.'), "2000-02-29 00:00:00.000");
        assert_eq!(utc(1_732_240_000_010, ':'), "2024-11-22 01:46:40:010");
        assert_eq!(utc(-1, '.'), "1969-12-31 23:59:59.999");
        assert_eq!(utc(4_107_542_399_999, '.'), "2100-02-28 23:59:59.999");
    }
}
