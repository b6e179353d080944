//! A consumer of one's own for the time of an experiment: `experiment member` as another process, which
//! can be killed, frozen and slowed down.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::{env, fmt, io};

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

/// What a member says, a line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A generation has begun for it, with these partitions.
    Assigned { generation: i32, partitions: Vec<i32> },
    /// It has done the records of a partition from this offset to that one.
    Done { partition: i32, first: i64, last: i64 },
    /// It has worked for longer than `max.poll.interval.ms`, and has left.
    Late,
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Said::Assigned { generation, partitions } => {
                write!(f, "assigned {generation}")?;
                partitions.iter().try_for_each(|partition| write!(f, " {partition}"))
            }
            Said::Done { partition, first, last } => write!(f, "done {partition} {first} {last}"),
            Said::Late => f.write_str("late"),
        }
    }
}

impl Said {
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let what = words.next()?;
        let numbers: Option<Vec<i64>> = words.map(|word| word.parse().ok()).collect();
        let small = |number: &i64| i32::try_from(*number).ok();
        match (what, &numbers?[..]) {
            ("assigned", [generation, partitions @ ..]) => Some(Said::Assigned {
                generation: small(generation)?,
                partitions: partitions.iter().map(small).collect::<Option<_>>()?,
            }),
            ("done", [partition, first, last]) => {
                Some(Said::Done { partition: small(partition)?, first: *first, last: *last })
            }
            ("late", []) => Some(Said::Late),
            _ => None,
        }
    }
}

/// Something was heard from a member.
pub struct Heard {
    /// Its number, as its owner counts.
    pub member: usize,
    pub at: Instant,
    pub what: What,
}

pub enum What {
    Said(Said),
    /// Its process is gone; these were its last words.
    Ended(String),
}

/// Killed when dropped, also while it is frozen.
pub struct OwnMember {
    process: Child,
    orders: Option<ChildStdin>,
}

impl OwnMember {
    /// Starts a member. What is heard from it goes to `hears`, under its number.
    pub fn start(
        number: usize,
        args: &[String],
        hears: &UnboundedSender<Heard>,
    ) -> io::Result<Self> {
        let mut process = Command::new(env::current_exe()?)
            .args(["experiment", "member"])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C is for whoever started it.
            .process_group(0)
            .spawn()?;
        let orders = process.stdin.take();
        if let (Some(out), Some(err)) = (process.stdout.take(), process.stderr.take()) {
            let hears = hears.clone();
            tokio::task::spawn_blocking(move || listen(number, out, err, &hears));
        }
        Ok(Self { process, orders })
    }

    /// kill -9.
    pub fn kill(&mut self) -> io::Result<()> {
        self.process.kill()
    }

    /// It stands still, and does not notice it.
    pub fn freeze(&self) -> io::Result<()> {
        Ok(kill_process(Pid::from_child(&self.process), Signal::STOP)?)
    }

    pub fn thaw(&self) -> io::Result<()> {
        Ok(kill_process(Pid::from_child(&self.process), Signal::CONT)?)
    }

    /// What a record costs from now on, also the one that it works on.
    pub fn costs_us(&mut self, cost_us: u64) -> io::Result<()> {
        match &mut self.orders {
            Some(orders) => writeln!(orders, "cost-us {cost_us}"),
            None => Ok(()),
        }
    }

    /// It tries the record that it is at again and again, and commits where it is; or goes on.
    pub fn is_stuck(&mut self, stuck: bool) -> io::Result<()> {
        match &mut self.orders {
            Some(orders) => writeln!(orders, "stuck {}", u8::from(stuck)),
            None => Ok(()),
        }
    }

    /// It commits, says goodbye to its group, and ends.
    pub fn stop(&mut self) {
        self.orders = None;
    }
}

impl Drop for OwnMember {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn listen(member: usize, out: ChildStdout, mut err: ChildStderr, hears: &UnboundedSender<Heard>) {
    // Whoever does not listen any more has dropped the member.
    let tell = |what| hears.send(Heard { member, at: Instant::now(), what }).is_ok();
    for line in BufReader::new(out).lines().map_while(Result::ok) {
        if let Some(said) = Said::parse(&line)
            && !tell(What::Said(said))
        {
            return;
        }
    }
    let mut words = String::new();
    let _ = err.read_to_string(&mut words);
    tell(What::Ended(words.trim_end().trim_start_matches("mini-broker: ").to_owned()));
}

#[cfg(test)]
mod tests {
    use super::Said;

    #[test]
    fn what_a_member_says_is_understood() {
        let all = [
            (Said::Assigned { generation: 3, partitions: vec![0, 12] }, "assigned 3 0 12"),
            (Said::Assigned { generation: 4, partitions: vec![] }, "assigned 4"),
            (Said::Done { partition: 1, first: 7, last: 9 }, "done 1 7 9"),
            (Said::Late, "late"),
        ];
        for (said, line) in all {
            assert_eq!(said.to_string(), line);
            assert_eq!(Said::parse(line), Some(said));
        }
        for line in ["", "done 1 7", "late 1", "assigned", "assigned x", "done 1 7 9 "] {
            assert_eq!(Said::parse(line), None, "{line}");
        }
    }
}
