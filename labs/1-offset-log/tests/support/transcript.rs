//! A transcript: an input line, its outputs indented below. The grammar that all labs share is in labs/README.md;
//! the inputs of this lab are:
//!
//! ```text
//! open NAME=VALUE…                 a log with Kafka's settings; the first line
//! append RECORDS bytes=N epoch=N   a batch; `time` is now unless `time=N` says else
//! fetched BASE+RECORDS …           batches that carry their offsets
//! read OFFSET below=N max=N        below the log end, 1 MiB, unless said else
//! time MS                          the batch found for a time
//! tick watermark=N                 the log end, unless said else
//! truncate END · delete-before OFFSET
//! files · index SEGMENT            what stands on disk
//! tear N · flip N                  the active `.log` file loses its last N bytes; its N-th byte from the end turns
//! restart trusted=N                the process dies, and opens the log again; trusts nothing unless said else
//! ```
//!
//! `@MS` before an input sets the clock.

use offset_log::{Batch, Config, Error, MemDir, OffsetLog, Slice, log_file};

use super::batches::{batch, placed};
use grammar::Line;

#[path = "../../../transcript.rs"]
mod grammar;

/// Runs a script and returns it with the outputs in place.
pub fn transcript(script: &str) -> String {
    let mut stage = Stage { dir: MemDir::new(), config: Config::default(), log: None };
    grammar::run(script, |line| stage.input(line))
}

struct Stage {
    dir: MemDir,
    config: Config,
    log: Option<OffsetLog>,
}

impl Stage {
    fn input(&mut self, line: &Line) -> Result<Vec<String>, Error> {
        if line.verb == "open" {
            self.config = Config {
                segment_bytes: line.named("segment.bytes").unwrap_or(self.config.segment_bytes),
                segment_ms: line.named("segment.ms").unwrap_or(self.config.segment_ms),
                index_interval_bytes: line
                    .named("index.interval.bytes")
                    .unwrap_or(self.config.index_interval_bytes),
                retention_ms: line.named("retention.ms").or(self.config.retention_ms),
                retention_bytes: line.named("retention.bytes"),
                ..self.config
            };
            return self.open(0);
        }
        let now_ms = line.now_ms;
        let Stage { dir, .. } = self;
        let log = self.log.as_mut().expect("the first line opens the log");
        let bounds = |log: &OffsetLog| format!("log {} to {}", log.log_start(), log.log_end());
        Ok(match line.verb {
            "append" => {
                let time = line.named("time").unwrap_or(now_ms) as i64;
                let bytes = line.named("bytes").unwrap_or(0) as usize;
                let epoch = line.named("epoch").unwrap_or(0) as i32;
                let mut batch = batch(line.number(0) as u32, bytes, time);
                let appended = log.append(now_ms, epoch, &mut batch)?;
                let sealed = appended.sealed.map(|base| format!(", segment {base} is sealed"));
                let sealed = sealed.unwrap_or_default();
                vec![format!("offsets {} to {}{sealed}", appended.first, appended.last)]
            }
            "fetched" => {
                let mut bytes = Vec::new();
                for word in &line.words {
                    let (base, records) = word.split_once('+').expect("BASE+RECORDS");
                    let batch = batch(records.parse().expect("records"), 0, now_ms as i64);
                    bytes.extend(placed(batch, base.parse().expect("a base offset"), 0));
                }
                let appended = log.append_fetched(now_ms, &bytes)?;
                vec![format!("offsets {} to {}", appended.first, appended.last)]
            }
            "read" => {
                let below = line.named("below").unwrap_or(log.log_end());
                let max = line.named("max").unwrap_or(1 << 20) as u32;
                vec![described(dir, log.read(line.number(0), below, max)?)]
            }
            "time" => {
                let found = log.find_time(line.number(0) as i64)?;
                vec![found.map_or("nothing is as new".to_owned(), |slice| described(dir, slice))]
            }
            "tick" => {
                let watermark = line.named("watermark").unwrap_or(log.log_end());
                let removed = log.tick(now_ms, watermark)?;
                let mut lines: Vec<_> =
                    removed.iter().map(|base| format!("segment {base} is removed")).collect();
                lines.push(bounds(log));
                lines
            }
            "truncate" => {
                log.truncate(line.number(0))?;
                vec![bounds(log)]
            }
            "delete-before" => {
                log.delete_before(line.number(0))?;
                vec![bounds(log)]
            }
            "files" => {
                dir.files().iter().map(|(name, bytes)| format!("{name} {}", bytes.len())).collect()
            }
            "index" => {
                let bytes = dir.bytes(&format!("{:020}.index", line.number(0)));
                let number =
                    |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().expect("four bytes"));
                let entries = bytes.chunks_exact(8).map(|entry| entry.split_at(4));
                entries.map(|(o, p)| format!("+{} at {}", number(o), number(p))).collect()
            }
            "tear" | "flip" => {
                let files = dir.files();
                let (name, bytes) =
                    files.iter().rfind(|(name, _)| name.ends_with(".log")).expect("a .log file");
                let at = bytes.len() as u64 - line.number(0);
                vec![match line.verb {
                    "tear" => {
                        dir.tear(name, at);
                        format!("{name} {at} bytes")
                    }
                    _ => {
                        dir.flip(name, at, 1);
                        format!("{name} byte {at} of {}", bytes.len())
                    }
                }]
            }
            "restart" => return self.open(line.named("trusted").unwrap_or(0)),
            other => panic!("no such input: {other}"),
        })
    }

    fn open(&mut self, trusted_to: u64) -> Result<Vec<String>, Error> {
        self.log = None;
        let dir = Box::new(self.dir.clone());
        let (log, recovery) = OffsetLog::open(dir, self.config.clone(), trusted_to)?;
        let mut lines = vec![format!("log {} to {}", log.log_start(), log.log_end())];
        if recovery.checked > 0 || recovery.cut_bytes > 0 {
            lines.push(format!(
                "{} batches checked, {} bytes cut",
                recovery.checked, recovery.cut_bytes
            ));
        }
        lines.extend(
            recovery.rebuilt.iter().map(|base| format!("indexes of segment {base} rebuilt")),
        );
        self.log = Some(log);
        Ok(lines)
    }
}

/// A slice, by the offsets of the batches in it.
fn described(dir: &MemDir, slice: Slice) -> String {
    if slice.len == 0 {
        return "nothing yet".to_owned();
    }
    let batches = offsets_in(dir, slice)
        .iter()
        .map(|(first, last)| format!(" [{first} to {last}]"))
        .collect::<String>();
    let Slice { segment, position, len, .. } = slice;
    format!("segment {segment}, {len} bytes from {position} on:{batches}")
}

/// The first and last offsets of the batches in a slice.
pub fn offsets_in(dir: &MemDir, slice: Slice) -> Vec<(u64, u64)> {
    let bytes = dir.bytes(&log_file(slice.segment));
    let mut rest = &bytes[slice.position as usize..][..slice.len as usize];
    let mut batches = Vec::new();
    while !rest.is_empty() {
        let batch = Batch::parse(rest).expect("a slice begins and ends at a batch");
        batches.push((batch.base_offset, batch.last_offset()));
        rest = rest.get(batch.size as usize..).expect("a slice holds whole batches");
    }
    batches
}
