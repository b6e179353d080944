//! A pass over a few segments in memory: what is left of them, record by record, and where.

use std::collections::BTreeMap;

use bytes::BytesMut;

use super::*;
use crate::records::{self, Builder, Codec, Header};

#[derive(Clone, Default)]
struct InMemory(BTreeMap<String, Vec<u8>>);

impl Folder for InMemory {
    fn read_at(&mut self, file: &str, position: u64, into: &mut [u8]) -> io::Result<usize> {
        let rest = &self.0[file][position as usize..];
        let read = rest.len().min(into.len());
        into[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }
    fn create(&mut self, file: &str) -> io::Result<()> {
        self.0.insert(file.into(), Vec::new());
        Ok(())
    }
    fn append(&mut self, file: &str, bytes: &[u8]) -> io::Result<()> {
        self.0.get_mut(file).unwrap().extend_from_slice(bytes);
        Ok(())
    }
    fn sync(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }
    fn remove(&mut self, file: &str) -> io::Result<()> {
        self.0.remove(file);
        Ok(())
    }
}

/// A batch of `key=value` and, for a tombstone, `key`; each a millisecond after the other.
fn batch(codec: Codec, at_ms: i64, records: &str) -> BytesMut {
    let mut builder = Builder::new(codec);
    for (record, at) in records.split(' ').zip(at_ms..) {
        let (key, value) = record.split_once('=').map_or((record, None), |(k, v)| (k, Some(v)));
        let key = Some(key).filter(|key| !key.is_empty()).map(str::as_bytes);
        builder.push(at, key, value.map(str::as_bytes), std::iter::empty());
    }
    builder.finish().unwrap()
}

const NOW: u64 = 1_000_000;
const DAY: u64 = 86_400_000;

struct Log {
    files: InMemory,
    plan: Plan,
}

impl Log {
    /// Segments of batches, which get their offsets here.
    fn new(segments: &[&[BytesMut]]) -> Self {
        let mut files = InMemory::default();
        let mut sealed = Vec::new();
        let mut offset = 0;
        for batches in segments {
            let (base, mut bytes) = (offset, Vec::new());
            for batch in *batches {
                let mut batch = batch.clone();
                batch[..8].copy_from_slice(&u64::to_be_bytes(offset));
                offset += Header::read(&batch).unwrap().last_offset_delta as u64 + 1;
                bytes.extend_from_slice(&batch);
            }
            sealed.push(Sealed { base, end: offset, size: bytes.len() as u64 });
            files.0.insert(format!("{base:020}.log"), bytes);
        }
        let plan = Plan {
            segments: sealed,
            dirty_from: 0,
            now_ms: NOW,
            delete_retention_ms: DAY,
            segment_bytes: 1 << 30,
            index_interval_bytes: 100,
            keys_bytes: 1 << 20,
        };
        Self { files, plan }
    }

    /// A pass, and its result in the place of the old segments.
    fn compact(&mut self) -> Compacted {
        let pass = run(&mut self.files, &self.plan).unwrap();
        for group in &pass.groups {
            for old in &group.segments {
                self.files.0.remove(&format!("{:020}.log", old.base));
            }
            let bytes = self.files.0.remove(&swap::cleaned(group.base(), "log")).unwrap();
            let new = Sealed { base: group.base(), end: group.end(), size: bytes.len() as u64 };
            self.files.0.insert(format!("{:020}.log", new.base), bytes);
            self.plan.segments.retain(|segment| !group.segments.contains(segment));
            self.plan.segments.push(new);
            self.plan.segments.sort_by_key(|segment| segment.base);
        }
        self.plan.dirty_from = pass.cleaned_to;
        self.files.0.retain(|name, _| name.ends_with(".log"));
        pass
    }

    fn bytes(&self) -> Vec<u8> {
        self.files.0.values().flatten().copied().collect()
    }

    /// Every batch in a line: base and last offset, then offset, key and value of its records.
    fn told(&self) -> Vec<String> {
        let bytes = self.bytes();
        let told = records::batches(&bytes).map(|batch| {
            let batch = batch.unwrap();
            assert!(batch.crc_matches());
            let mut line = format!("{}-{}", batch.header.base_offset, batch.header.last_offset());
            for record in batch.records().unwrap().iter() {
                let record = record.unwrap();
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                line += &format!(" {}:{}", record.offset, record.key.map_or("-".into(), text));
                line += &record.value.map_or(String::new(), |value| format!("={}", text(value)));
            }
            line
        });
        told.collect()
    }
}

const NONE: Codec = Codec::None;

#[test]
fn the_newest_of_each_key_stays_where_it_was() {
    for codec in Codec::ALL {
        let mut log = Log::new(&[
            &[batch(codec, 10, "a=1 b=1 c=1"), batch(codec, 20, "a=2")],
            &[batch(codec, 30, "d=1 a=3 d=2")],
            &[batch(codec, 40, "c=2 e=1")],
        ]);

        let pass = log.compact();

        assert_eq!(log.told(), ["0-2 1:b=1", "4-6 5:a=3 6:d=2", "7-8 7:c=2 8:e=1"], "{codec}");
        assert_eq!((pass.cleaned_to, pass.groups.len()), (9, 1));
        assert_eq!(pass.after, log.bytes().len() as u64);
        let bytes = log.bytes();
        let times = records::batches(&bytes).map(|batch| {
            let Header { base_timestamp, max_timestamp, attributes, .. } = batch.unwrap().header;
            assert_eq!(attributes, codec.attributes());
            (base_timestamp, max_timestamp)
        });
        assert_eq!(times.collect::<Vec<_>>(), [(11, 11), (31, 32), (40, 41)]);
    }
}

#[test]
fn a_second_pass_changes_nothing() {
    let mut log = Log::new(&[
        &[batch(NONE, 10, "a=1 b=1"), batch(Codec::Lz4, 20, "a=2 c")],
        &[batch(Codec::Zstd, 30, "d=1 a=3")],
    ]);
    log.compact();
    let once = log.files.clone();

    let pass = log.compact();

    assert_eq!(pass.groups, []);
    assert_eq!(log.files.0, once.0);
}

#[test]
fn a_batch_of_which_all_is_left_keeps_every_byte() {
    let kept = batch(Codec::Gzip, 20, "c=1 d=1");
    let mut log = Log::new(&[&[batch(NONE, 10, "a=1"), kept.clone(), batch(NONE, 30, "a=2")]]);

    log.compact();

    let bytes = log.bytes();
    let first = records::batches(&bytes).next().unwrap().unwrap();
    assert_eq!(first.bytes[8..], kept[8..]);
    assert_eq!(log.told().len(), 2);
}

#[test]
fn a_tombstone_stays_until_its_time_and_then_goes() {
    let mut log = Log::new(&[&[
        batch(NONE, 10, "a=1 b=1"),
        batch(NONE, 20, "a x=1"),
        batch(NONE, 30, "b=2"),
    ]]);
    log.compact();
    let horizon = |log: &Log| {
        let bytes = log.bytes();
        records::batches(&bytes).next().unwrap().unwrap().header.delete_horizon()
    };
    assert_eq!(log.told(), ["2-3 2:a 3:x=1", "4-4 4:b=2"]);
    assert_eq!(horizon(&log), Some((NOW + DAY) as i64));
    let bytes = log.bytes();
    let batch = records::batches(&bytes).next().unwrap().unwrap();
    let records = batch.records().unwrap();
    let times: Vec<i64> = records.iter().map(|record| record.unwrap().timestamp).collect();
    assert_eq!(times, [20, 21], "told relative to the horizon");

    log.plan.now_ms = NOW + DAY - 1;
    log.compact();
    assert_eq!(log.told().len(), 2);
    assert_eq!(horizon(&log), Some((NOW + DAY) as i64), "set once");

    log.plan.now_ms = NOW + DAY;
    log.compact();
    assert_eq!(log.told(), ["2-3 3:x=1", "4-4 4:b=2"]);
}

/// A checkpoint that says too much (of a deleted topic of the same name) must not bring back what
/// was deleted: an older record of the key may still be there.
#[test]
fn a_tombstone_in_the_part_that_is_not_looked_at_gets_no_time() {
    let mut log =
        Log::new(&[&[batch(NONE, 10, "a=1"), batch(NONE, 20, "a")], &[batch(NONE, 30, "b=1")]]);
    log.plan.dirty_from = 2;
    log.plan.delete_retention_ms = 0;

    for _ in 0..3 {
        log.plan.dirty_from = 2;
        log.compact();
        assert_eq!(log.told(), ["0-0 0:a=1", "1-1 1:a", "2-2 2:b=1"]);
    }
}

#[test]
fn the_header_of_the_last_batch_stays() {
    let mut log = Log::new(&[&[batch(NONE, 10, "a=1"), batch(Codec::Gzip, 20, " =x")]]);

    log.compact();

    assert_eq!(log.told(), ["0-0 0:a=1", "1-2"]);
    let bytes = log.bytes();
    let last = records::batches(&bytes).last().unwrap().unwrap().header;
    assert_eq!((last.size(), last.max_timestamp, last.attributes), (61, 21, 0));

    // With more behind it, it has nothing to tell any more.
    let mut longer = Log::new(&[&[]]);
    longer.files = log.files.clone();
    let end = log.plan.segments[0].end;
    let mut next = batch(NONE, 30, "b=1");
    next[..8].copy_from_slice(&end.to_be_bytes());
    longer.plan.segments = log.plan.segments.clone();
    longer.plan.segments.push(Sealed { base: end, end: end + 1, size: next.len() as u64 });
    longer.files.0.insert(format!("{end:020}.log"), next.to_vec());
    longer.plan.dirty_from = end;
    longer.compact();
    assert_eq!(longer.told(), ["0-0 0:a=1", "3-3 3:b=1"]);
}

#[test]
fn what_cannot_be_read_stays_and_replaces_nothing() {
    let resealed = |mut batch: BytesMut| {
        let crc = crc32c::crc32c(&batch[21..]);
        batch[17..21].copy_from_slice(&crc.to_be_bytes());
        batch
    };
    let mut damaged = batch(NONE, 20, "a=damaged");
    *damaged.last_mut().unwrap() ^= 1;
    let mut control = batch(NONE, 20, "a=control");
    control[22] |= 1 << 5;
    let mut transactional = batch(NONE, 20, "a=transactional");
    transactional[22] |= 1 << 4;
    let mut nonsense = batch(Codec::Zstd, 20, "a=nonsense");
    nonsense[70] ^= 0xff;
    let mut same_offset = batch(NONE, 20, "a=1 a=2");
    same_offset[61 + 12 + 3] = 0;
    let mut too_many = batch(NONE, 20, "a=1 a=2");
    too_many[60] = 3;
    let mut too_few = batch(NONE, 20, "a=1 a=2");
    too_few[60] = 1;
    let odd = [
        damaged,
        resealed(control),
        resealed(transactional),
        resealed(nonsense),
        resealed(same_offset),
        resealed(too_many),
        resealed(too_few),
    ];
    for odd in odd {
        let mut log = Log::new(&[&[
            batch(NONE, 10, "a=0"),
            batch(NONE, 10, "a=1"),
            odd.clone(),
            batch(NONE, 30, "b=1"),
        ]]);

        let pass = log.compact();

        assert_eq!(pass.unreadable, 1, "{odd:?}");
        let bytes = log.bytes();
        let left: Vec<_> = records::batches(&bytes).map(Result::unwrap).collect();
        let offsets: Vec<i64> = left.iter().map(|batch| batch.header.base_offset).collect();
        assert_eq!(offsets[..2], [1, 2], "{odd:?}");
        assert_eq!(left[1].bytes[8..], odd[8..]);
    }
}

#[test]
fn a_file_without_batches_is_an_error_that_names_the_place() {
    for (cut, at) in [(0, 0), (30, 0), (61, 0), (75, 70), (100, 70)] {
        let mut log = Log::new(&[&[batch(NONE, 10, "a=1"), batch(NONE, 10, "b=1")]]);
        let file = log.files.0.values_mut().next().unwrap();
        assert_eq!(file.len(), 140);
        file.truncate(cut);
        let told = run(&mut log.files, &log.plan).unwrap_err().to_string();
        let place = format!("00000000000000000000.log is damaged at byte {at}: ");
        assert!(told.starts_with(&place), "{told}");
    }
}

/// However little memory there is, many small passes leave what one pass leaves.
#[test]
fn passes_with_little_memory_get_to_the_same_end() {
    for seed in 0..40 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut segments = Vec::new();
        for _ in 0..random.usize(1..6) {
            let batches = (0..random.usize(1..8)).map(|_| {
                let records: Vec<String> = (0..random.usize(1..6))
                    .map(|_| match random.u8(..5) {
                        0 => format!("k{}", random.u8(..9)),
                        _ => format!("k{}={}", random.u8(..9), random.u16(..)),
                    })
                    .collect();
                batch(Codec::ALL[random.usize(..5)], 10, &records.join(" "))
            });
            segments.push(batches.collect::<Vec<_>>());
        }
        let segments: Vec<&[BytesMut]> = segments.iter().map(Vec::as_slice).collect();
        let mut once = Log::new(&segments);
        let end = once.plan.segments.last().unwrap().end;
        assert_eq!(once.compact().cleaned_to, end);

        let mut often = Log::new(&segments);
        (often.plan.keys_bytes, often.plan.segment_bytes) = (1, random.u64(1..800));
        let mut passes = 0;
        while often.plan.dirty_from < end {
            let before = often.plan.dirty_from;
            assert!(often.compact().cleaned_to > before, "every pass gets on");
            passes += 1;
        }
        assert!(passes >= segments.len(), "{passes} passes");
        assert_eq!(often.told(), once.told(), "seed {seed}");
    }
}

#[test]
fn small_segments_are_joined_up_to_the_size_of_one() {
    let size = batch(NONE, 10, "k=1").len() as u64;
    let distinct: Vec<BytesMut> = (0..7).map(|n| batch(NONE, 10, &format!("{n}=1"))).collect();
    let segments: Vec<&[BytesMut]> = distinct.chunks(1).collect();
    let groups = |most: u64| {
        let mut log = Log::new(&segments);
        log.plan.segment_bytes = most;
        let pass = log.compact();
        assert_eq!(log.told().len(), 7);
        pass.groups.iter().map(|group| (group.base(), group.end())).collect::<Vec<_>>()
    };
    assert_eq!(groups(3 * size), [(0, 3), (3, 6)], "the seventh stays as it is");
    assert_eq!(groups(3 * size - 1), [(0, 2), (2, 4), (4, 6)]);
    assert_eq!(groups(size), [], "nothing to join and nothing to remove");

    // An index entry has no room for more than 2^31 offsets.
    let mut log = Log::new(&segments);
    let far = u64::from(u32::MAX / 2);
    let moved = log.files.0.remove("00000000000000000006.log").unwrap();
    let base = far - 1;
    let moved = [&base.to_be_bytes()[..], &moved[8..]].concat();
    log.files.0.insert(format!("{base:020}.log"), moved);
    log.plan.segments[5].end = base;
    log.plan.segments[6] = Sealed { base, end: far + 1, size };
    assert_eq!(log.compact().groups.len(), 1);
}

/// The index files are those that the log itself makes when it has none.
#[test]
fn the_indexes_are_those_of_the_log_itself() {
    use offset_log_solution::{Config, MemDir, OffsetLog};
    for (seed, interval) in (0..20).flat_map(|seed| [0, 100, 500, 4096].map(|at| (seed, at))) {
        let mut random = fastrand::Rng::with_seed(seed);
        let batches: Vec<BytesMut> = (0..30)
            .map(|_| {
                let records =
                    format!("k{}={} k{}=x", random.u8(..30), random.u64(..), random.u8(..30));
                let time = if random.u8(..10) == 0 { -2 } else { random.i64(0..1000) };
                batch(NONE, time, &records)
            })
            .collect();
        let segments: Vec<&[BytesMut]> = batches.chunks(10).collect();
        let mut log = Log::new(&segments);
        log.plan.index_interval_bytes = interval;

        let pass = run(&mut log.files, &log.plan).unwrap();

        assert_eq!(pass.groups.len(), 1);
        let ours = |kind| log.files.0[&swap::cleaned(0, kind)].clone();
        // One more segment behind it, so that it is sealed.
        let next = format!("{:020}.log", pass.groups[0].end());
        let files =
            BTreeMap::from([("00000000000000000000.log".into(), ours("log")), (next, Vec::new())]);
        let dir = MemDir::holding(files);
        let config = Config { index_interval_bytes: interval, ..Config::default() };
        let (_, recovery) = OffsetLog::open(Box::new(dir.clone()), config, 0).unwrap();
        assert_eq!(recovery.cut_bytes, 0);
        for kind in ["index", "timeindex"] {
            let file = format!("00000000000000000000.{kind}");
            assert_eq!(ours(kind), dir.bytes(&file), "{kind}, interval {interval}, seed {seed}");
        }
    }
}
