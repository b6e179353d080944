//! Histories that chance wrote: the log must agree with a simple model of it (`model.rs`) after every event.
//!
//! Each history has a seed, which a failure names. `SEED=17 cargo test -p offset-log any_history` repeats it alone.

use std::env;

use fastrand::Rng;
use offset_log::{Config, Error, MemDir, OffsetLog, log_file};

use super::batches::{batch, placed};
use super::model::{Model, Stored};
use crate::grader::{Works, check, during};

/// How much of the log a history uses. Each level adds to the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    OneSegment,
    Segments,
    Indexed,
    Kept,
    Restarted,
}

const SEEDS: u64 = 20;
const EVENTS: usize = 120;

pub fn histories(level: Level) {
    match env::var("SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => History::new(level, seed).run(),
        None => (0..SEEDS).for_each(|seed| History::new(level, seed).run()),
    }
    during(String::new);
}

struct History {
    level: Level,
    seed: u64,
    rng: Rng,
    config: Config,
    dir: MemDir,
    log: OffsetLog,
    model: Model,
    now_ms: u64,
}

impl History {
    fn new(level: Level, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut config =
            Config { index_interval_bytes: u64::MAX, retention_ms: None, ..Config::default() };
        if level >= Level::Segments {
            config.segment_bytes = rng.u64(200..2000);
        }
        if level >= Level::Indexed {
            config.index_interval_bytes = rng.u64(0..500);
        }
        if level >= Level::Kept {
            config.retention_ms = rng.bool().then(|| rng.u64(50..500));
            config.retention_bytes = rng.bool().then(|| rng.u64(500..4000));
        }
        let dir = MemDir::new();
        let opened = OffsetLog::open(Box::new(dir.clone()), config.clone(), 0);
        let (log, _) = opened.works("R1.16: opening an empty log");
        History { level, seed, rng, config, dir, log, model: Model::default(), now_ms: 0 }
    }

    fn run(mut self) {
        for event in 0..EVENTS {
            self.now_ms += self.rng.u64(0..20);
            let (seed, level) = (self.seed, self.level);
            match self.rng.u32(0..100) {
                0..35 => self.append(),
                35..45 => self.append_fetched(),
                45..75 => self.read(),
                75..83 => self.find_time(),
                83..86 => self.full_disk(),
                86..89 => self.truncate(),
                89..91 => self.delete_before(),
                91..95 if level >= Level::Kept => self.tick(),
                95..100 if level >= Level::Restarted => self.restart(),
                _ => self.read(),
            }
            during(move || format!("seed {seed}, after event {event}"));
            let bounds = (self.log.log_start(), self.log.log_end());
            check("R1.1", "start and end", bounds, (self.model.log_start, self.model.log_end));
        }
    }

    fn say(&self, what: String) {
        let seed = self.seed;
        during(move || format!("seed {seed}: {what}"));
    }

    fn batch(&mut self) -> (Vec<u8>, i64) {
        let records = self.rng.u32(1..6);
        let bytes = self.rng.usize(0..300);
        // Mostly now, sometimes late, sometimes not said.
        let time_ms = match self.rng.u32(0..10) {
            0 => -1,
            1 => self.now_ms as i64 / 2,
            _ => self.now_ms as i64,
        };
        (batch(records, bytes, time_ms), time_ms)
    }

    fn append(&mut self) {
        let (batch, time_ms) = self.batch();
        let epoch = self.rng.i32(0..5);
        self.say(format!("append {} bytes at {}", batch.len(), self.model.log_end));
        let first = self.model.log_end;
        let bytes = placed(batch.clone(), first, epoch);
        let last = first + u64::from(bytes[26]);
        let appended = self
            .log
            .append(self.now_ms, epoch, &mut batch.clone())
            .works("R1.1: an append of fetched batches");
        check("R1.1", "first and last", (appended.first, appended.last), (first, last));
        self.model.append(Stored { first, last, time_ms, bytes });
    }

    fn append_fetched(&mut self) {
        let mut bytes = Vec::new();
        let mut stored = Vec::new();
        let mut next = self.model.log_end;
        for _ in 0..self.rng.u32(1..4) {
            let (batch, time_ms) = self.batch();
            let first = next + if self.rng.u32(0..4) == 0 { self.rng.u64(1..20) } else { 0 };
            let batch = placed(batch, first, 3);
            next = first + u64::from(batch[26]) + 1;
            bytes.extend(&batch);
            stored.push(Stored { first, last: next - 1, time_ms, bytes: batch });
        }
        self.say(format!("append fetched batches at {}", stored[0].first));
        let appended = self
            .log
            .append_fetched(self.now_ms, &bytes)
            .works("R1.1: an append of fetched batches");
        check(
            "R1.1",
            "first and last",
            (appended.first, appended.last),
            (stored[0].first, next - 1),
        );
        stored.into_iter().for_each(|stored| self.model.append(stored));
    }

    fn read(&mut self) {
        let (start, end) = (self.model.log_start, self.model.log_end);
        let offset = self.rng.u64(start.saturating_sub(2)..end + 3);
        let below = if self.rng.bool() { end } else { self.rng.u64(start..end + 1) };
        let max_bytes = self.rng.u32(0..1500);
        self.say(format!("read {offset} below {below}, at most {max_bytes} bytes"));
        let slice = match self.log.read(offset, below, max_bytes) {
            Ok(slice) => slice,
            Err(Error::OffsetOutOfRange { log_start, log_end, .. }) => {
                check("R1.5", "the offset is outside", (start..=end).contains(&offset), false);
                return check("R1.5", "the range", (log_start, log_end), (start, end));
            }
            // After a restart it may be damage that was left in the log.
            Err(error) if self.level >= Level::Restarted => panic!("R1.16: a read fails: {error}"),
            Err(error) => panic!("R1.4: a read fails: {error}"),
        };
        check("R1.5", "the offset is inside", (start..=end).contains(&offset), true);
        let expected = self.model.from(offset, below);
        let Some(first) = expected.first() else {
            return check("R1.7", "bytes where nothing is to be given out", slice.len, 0);
        };
        let rule = if first.bytes.len() > max_bytes as usize { "R1.6" } else { "R1.4" };
        check(rule, "a batch is found", slice.len > 0, true);
        check("R1.4", "the first batch", slice.first, first.first);
        let file = self.dir.bytes(&log_file(slice.segment));
        let (from, to) = (slice.position as usize, slice.position as usize + slice.len as usize);
        let got = file.get(from..to).expect("R1.6: a slice lies inside its file");
        let mut len = 0;
        let mut taken = 0;
        while len < got.len() {
            let Some(next) = expected.get(taken) else { break };
            let same = got[len..].starts_with(&next.bytes);
            let what = format!("the bytes {len} on from the slice's begin");
            let expected = format!("the batch [{} to {}]", next.first, next.last);
            check(
                "R1.6",
                what,
                if same { &expected } else { "another batch, or a piece" },
                &expected,
            );
            len += next.bytes.len();
            taken += 1;
        }
        check("R1.7", "bytes of whole batches, below the watermark", got.len(), len);
        check(
            "R1.6",
            "within max_bytes, or one batch",
            len <= max_bytes as usize || taken == 1,
            true,
        );
        if let Some(next) = expected.get(taken) {
            let another_segment = to == file.len();
            let no_room = len + next.bytes.len() > max_bytes as usize;
            check("R1.6", "as many batches as fit", another_segment || no_room, true);
        }
    }

    fn find_time(&mut self) {
        let time_ms = self.rng.i64(0..self.now_ms as i64 + 10);
        self.say(format!("find time {time_ms}"));
        let found =
            self.log.find_time(time_ms).works("R1.11: a lookup by time").map(|slice| slice.first);
        let expected = self.model.find_time(time_ms).map(|stored| stored.first);
        check("R1.11", "the first batch that is new enough", found, expected);
    }

    fn full_disk(&mut self) {
        let (mut batch, _) = self.batch();
        self.say("append to a full disk".to_owned());
        self.dir.set_space(Some(self.rng.usize(0..batch.len())));
        let failed = self.log.append(self.now_ms, 0, &mut batch).is_err();
        self.dir.set_space(None);
        let got = if failed { "an error" } else { "no error" };
        check("R1.3", "an append to a full disk", got, "an error");
    }

    fn truncate(&mut self) {
        let (start, end) = (self.model.log_start, self.model.log_end);
        let to = self.rng.u64(end.saturating_sub(15).max(start)..=end);
        self.say(format!("truncate to {to}"));
        self.log.truncate(to).works("R1.9: a truncation");
        self.model.truncate(to);
        // A segment that is empty now still says where it begins.
        let got = self.log.log_end();
        let between = (self.model.log_end..=to).contains(&got);
        check("R1.1", format!("the log end {got}, not past {to}"), between, true);
        self.model.log_end = got;
    }

    fn delete_before(&mut self) {
        let (start, end) = (self.model.log_start, self.model.log_end);
        let to = self.rng.u64(start..=(start + 10).min(end));
        self.say(format!("delete before {to}"));
        self.log.delete_before(to).works("R1.13: moving the start");
        self.model.delete_before(to);
    }

    fn tick(&mut self) {
        let watermark = self.rng.u64(self.model.log_start..=self.model.log_end);
        let now_ms = self.now_ms;
        self.say(format!("tick at {now_ms}, watermark {watermark}"));
        let before: Vec<(u64, u64)> =
            self.log.segments().iter().map(|s| (s.base, s.size)).collect();
        let size: u64 = before.iter().map(|(_, size)| size).sum();
        let removed = self.log.tick(now_ms, watermark).works("R1.13: a tick");
        let bases: Vec<u64> = before.iter().map(|(base, _)| *base).collect();
        check("R1.13", "the oldest go", bases.starts_with(&removed), true);
        let end_of = |n: usize| bases.get(n + 1).copied().unwrap_or(self.model.log_end);
        let may_go = |n: usize, left: u64| {
            let in_it = bases[n]..end_of(n);
            let batches = self.model.batches.iter().filter(|batch| in_it.contains(&batch.first));
            let newest = batches.map(|batch| batch.time_ms).max().unwrap_or(-1);
            let age_ms = now_ms as i64 - newest;
            let old = self.config.retention_ms.is_some_and(|ms| newest >= 0 && age_ms > ms as i64);
            let large =
                self.config.retention_bytes.is_some_and(|limit| left - before[n].1 >= limit);
            let why = format!(
                "its newest record is {age_ms} ms old (retention.ms {:?}), {} bytes are left without it (retention.bytes {:?})",
                self.config.retention_ms,
                left - before[n].1,
                self.config.retention_bytes,
            );
            (old, large, before[n].1 > 0 && end_of(n) <= watermark, why)
        };
        let mut left = size;
        let mut all_old = true;
        for n in 0..removed.len() {
            let (old, large, may, why) = may_go(n, left);
            all_old &= old;
            let got = if old || large { "may go" } else { "must stay" };
            check("R1.14", format!("segment {} was removed: {why}", bases[n]), got, "may go");
            let got = if may { "below" } else { "past it, or empty" };
            let what = format!(
                "segment {} was removed: {} bytes, up to {}, the high watermark being {watermark}",
                bases[n],
                before[n].1,
                end_of(n)
            );
            check("R1.15", what, got, "below");
            left -= before[n].1;
        }
        if removed.len() < before.len() {
            let (old, large, may, why) = may_go(removed.len(), left);
            // Kafka looks at ages first: behind one that goes for its size alone, an old one may wait for the next tick.
            let stays = !may || !large && (!old || !all_old);
            let got = if stays { "must stay" } else { "may go" };
            let what = format!("segment {} was left: {why}", bases[removed.len()]);
            check("R1.14", what, got, "must stay");
        }
        if !removed.is_empty() {
            self.model.log_start = self.model.log_start.max(end_of(removed.len() - 1));
            let start = self.model.log_start;
            self.model.batches.retain(|batch| batch.last >= start);
        }
    }

    fn restart(&mut self) {
        let (start, end) = (self.model.log_start, self.model.log_end);
        let trusted_to = if self.rng.bool() { self.rng.u64(start..=end) } else { 0 };
        let torn = self.rng.bool();
        self.say(format!("restart, trusted to {trusted_to}, torn: {torn}"));
        let mut cut_bytes = 0;
        if torn {
            // The write in flight is torn: some bytes of a batch that was never acknowledged.
            let (batch, _) = self.batch();
            let batch = placed(batch, end, 0);
            cut_bytes = self.rng.usize(1..batch.len());
            let active = self.log.segments().last().expect("a segment").base;
            let mut file = self.dir.bytes(&log_file(active));
            file.extend(&batch[..cut_bytes]);
            self.dir.put(&log_file(active), file);
        }
        let opened = OffsetLog::open(Box::new(self.dir.clone()), self.config.clone(), trusted_to);
        let (log, recovery) = opened.works("R1.16: opening");
        self.log = log;
        check("R1.16", "bytes cut", recovery.cut_bytes, cut_bytes as u64);
        check("R1.17", "indexes rebuilt", recovery.rebuilt, vec![]);
        self.log.delete_before(start).works("R1.13: moving the start");
    }
}
