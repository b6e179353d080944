//! `.index` and `.timeindex` files, and what they say held against the log beside them.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::segment::Segment;
use super::{Args, Failure, base_offset, unreadable};

/// What does not agree, collected over all files and told at the end, as Kafka's tool does.
#[derive(Default)]
pub struct Complaints {
    offsets: BTreeMap<PathBuf, Vec<(i64, i64)>>,
    times: BTreeMap<PathBuf, Vec<(i64, i64)>>,
    order: BTreeMap<PathBuf, Vec<(i64, i64)>>,
    not_found: BTreeMap<PathBuf, Vec<(i64, i64)>>,
    gaps: BTreeMap<PathBuf, Vec<(i64, i64)>>,
}

impl Complaints {
    pub fn not_consecutive(&mut self, file: &Path, first: i64, second: i64) {
        note(&mut self.gaps, file, (first, second));
    }
}

fn note(map: &mut BTreeMap<PathBuf, Vec<(i64, i64)>>, file: &Path, pair: (i64, i64)) {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    map.entry(file).or_default().push(pair);
}

impl fmt::Display for Complaints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (file, pairs) in &self.offsets {
            writeln!(f, "Mismatches in :{}", file.display())?;
            // Kafka's tool tells the last one first.
            for (index, log) in pairs.iter().rev() {
                writeln!(f, "  Index offset: {index}, log offset: {log}")?;
            }
        }
        for (file, pairs) in &self.times {
            writeln!(f, "Found timestamp mismatch in :{}", file.display())?;
            for (index, log) in pairs {
                writeln!(f, "  Index timestamp: {index}, log timestamp: {log}")?;
            }
        }
        for (file, pairs) in &self.order {
            writeln!(f, "Found out of order timestamp in :{}", file.display())?;
            for (index, previous) in pairs {
                writeln!(
                    f,
                    "  Index timestamp: {index}, Previously indexed timestamp: {previous}"
                )?;
            }
        }
        for pairs in self.not_found.values() {
            writeln!(f, "The following indexed offsets are not found in the log.")?;
            for (index, log) in pairs {
                writeln!(f, "Indexed offset: {index}, found log offset: {log}")?;
            }
        }
        for (file, pairs) in &self.gaps {
            writeln!(f, "Non-consecutive offsets in {}", file.display())?;
            for (first, second) in pairs.iter().rev() {
                writeln!(f, "  {first} is followed by {second}")?;
            }
        }
        Ok(())
    }
}

pub fn dump_offsets(
    path: &Path,
    args: &Args,
    out: &mut impl Write,
    complaints: &mut Complaints,
) -> Result<(), Failure> {
    let base = base_offset(path)?;
    let mut segment = log_beside(path)?;
    let (entries, len) = read_offsets(path, base)?;
    if entries.is_empty() {
        writeln!(out, "{} is empty.", path.display())?;
        return Ok(());
    }
    if args.index_sanity_check {
        let last = entries.last().map_or(base, |entry| entry.0);
        sane(path, len, 8, last >= base)?;
        writeln!(out, "{} passed sanity check.", path.display())?;
        return Ok(());
    }
    for (offset, position) in entries {
        let found = segment.header_at(position).map_err(unreadable(path))?;
        let found = found.map_or(-1, |header| header.last_offset());
        if found != offset {
            note(&mut complaints.offsets, path, (offset, found));
        }
        if !args.verify_index_only {
            writeln!(out, "offset: {offset} position: {position}")?;
        }
    }
    Ok(())
}

pub fn dump_times(
    path: &Path,
    args: &Args,
    out: &mut impl Write,
    complaints: &mut Complaints,
) -> Result<(), Failure> {
    let base = base_offset(path)?;
    let mut segment = log_beside(path)?;
    let (offsets, _) = read_offsets(&path.with_extension("index"), base)?;
    let bytes = std::fs::read(path).map_err(unreadable(path))?;
    let entries = bytes.chunks_exact(12).map(|entry| {
        let (timestamp, offset) = entry.split_at(8);
        (i64::from_be_bytes(timestamp.try_into().unwrap_or_default()), base + small(offset))
    });
    let entries = up_to_padding(entries, |entry| entry.1 == base);
    if args.index_sanity_check {
        let grows = match (entries.first(), entries.last()) {
            (Some(first), Some(last)) => last.0 >= first.0 && last.1 >= base,
            _ => true,
        };
        sane(path, bytes.len(), 12, grows)?;
        writeln!(out, "{} passed sanity check.", path.display())?;
        return Ok(());
    }
    let mut previous = -1;
    for (timestamp, offset) in entries {
        let before = offsets.partition_point(|entry| entry.0 <= offset);
        let from = before.checked_sub(1).map_or(0, |last| offsets[last].1);
        match batch_with(&mut segment, from, offset).map_err(unreadable(path))? {
            Some((last, largest)) if last == offset => {
                if largest != timestamp {
                    note(&mut complaints.times, path, (timestamp, largest));
                }
                if previous >= timestamp {
                    note(&mut complaints.order, path, (timestamp, previous));
                }
            }
            other => {
                let found = other.map_or(-1, |(last, _)| last);
                note(&mut complaints.not_found, path, (offset, found));
            }
        }
        if !args.verify_index_only {
            writeln!(out, "timestamp: {timestamp} offset: {offset}")?;
        }
        previous = timestamp;
    }
    Ok(())
}

/// Last offset, and largest timestamp of the records, of the first batch from `position` on that
/// reaches `offset`.
fn batch_with(
    segment: &mut Segment,
    mut position: u64,
    offset: i64,
) -> io::Result<Option<(i64, i64)>> {
    while let Some(header) = segment.header_at(position)? {
        if header.last_offset() >= offset {
            let Some(batch) = segment.batch_at(position)? else { break };
            let mut largest = -1;
            for record in batch.records()?.iter() {
                largest = record?.timestamp.max(largest);
            }
            return Ok(Some((header.last_offset(), largest)));
        }
        position += header.size() as u64;
    }
    Ok(None)
}

fn log_beside(path: &Path) -> Result<Segment, Failure> {
    let log = path.with_extension("log");
    Segment::open(&log).map_err(|error| {
        Failure::new(format!(
            "{} is checked against {}, which cannot be read: {error}",
            path.display(),
            log.display()
        ))
    })
}

/// Offset and position of each entry, and the file's length.
fn read_offsets(path: &Path, base: i64) -> Result<(Vec<(i64, u64)>, usize), Failure> {
    let bytes = std::fs::read(path).map_err(unreadable(path))?;
    let entries = bytes.chunks_exact(8).map(|entry| {
        let (offset, position) = entry.split_at(4);
        (base + small(offset), small(position) as u64)
    });
    Ok((up_to_padding(entries, |entry| entry.0 == base), bytes.len()))
}

/// A running or killed Kafka leaves zeros after the last entry: its files are laid out in advance.
fn up_to_padding<T>(entries: impl Iterator<Item = T>, is_zero: impl Fn(&T) -> bool) -> Vec<T> {
    let entries = entries.enumerate();
    entries.take_while(|(index, entry)| *index == 0 || !is_zero(entry)).map(|(_, e)| e).collect()
}

fn small(bytes: &[u8]) -> i64 {
    u32::from_be_bytes(bytes.try_into().unwrap_or_default()).into()
}

fn sane(path: &Path, len: usize, entry: usize, grows: bool) -> Result<(), Failure> {
    let path = path.display();
    if !len.is_multiple_of(entry) {
        return Err(Failure::new(format!(
            "{path} is {len} bytes long, which is no multiple of {entry}, an entry's size"
        )));
    }
    if !grows {
        return Err(Failure::new(format!("{path}: its last entry stands before its first")));
    }
    Ok(())
}
