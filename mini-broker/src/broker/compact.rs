//! Compaction: of the records with the same key the newest stays, the others go, and no offset
//! changes. What is left has gaps. (Kafka: `Cleaner`, `LogCleaner`; a tombstone's time is KIP-534.)
//!
//! A pass goes twice over the sealed segments. First over the part that is new since the last pass,
//! to learn the newest offset of each key there; then over all, to write what is left beside the old
//! files. It is a function of the files and the plan: it has no clock, and touches no file that is
//! there already. Whether its result may take their place is decided later, by the partition, and
//! [`swap`] does it.
//!
//! Memory: the keys of the new part, at most [`Plan::keys_bytes`] and one batch's more; whatever
//! does not fit waits for the next pass. Besides, two buffers of a mebibyte or a batch, and the
//! index entries of one segment.

mod batch; // what is left of one batch

mod newest; // the newest offset of each key

mod output; // a new segment, with its indexes

mod source; // an old segment, batch by batch

pub mod swap; // the new in place of the old, whatever a kill does

#[cfg(test)]
mod tests;

use std::io;

use batch::{Left, Rules, readable};
use newest::Newest;
use output::Output;
use source::Source;

/// What a pass is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// All sealed segments up to the one that must not be compacted yet, the oldest first.
    pub segments: Vec<Sealed>,
    /// Everything below was compacted before.
    pub dirty_from: u64,
    pub now_ms: u64,
    pub delete_retention_ms: u64,
    /// New segments are filled up to here, so that small ones do not pile up.
    pub segment_bytes: u64,
    pub index_interval_bytes: u64,
    pub keys_bytes: u64,
}

/// A segment to which nothing is appended any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sealed {
    pub base: u64,
    /// The base of the segment behind it.
    pub end: u64,
    /// Bytes of its `.log` file.
    pub size: u64,
}

/// What a pass has written, under the names that [`swap::cleaned`] gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compacted {
    /// In order of their offsets. Segments that stay as they are belong to none.
    ///
    /// They must take effect in this order: once a tombstone has its time, nothing older of its key
    /// may be left.
    pub groups: Vec<Group>,
    /// How far the keys were looked at: the next pass begins there.
    pub cleaned_to: u64,
    /// Bytes of the segments looked at, before and after.
    pub before: u64,
    pub after: u64,
    /// Batches that could not be read. They stay as they are.
    pub unreadable: u64,
}

/// A new segment, and the old ones that it stands for. It has the base of the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub segments: Vec<Sealed>,
}

impl Group {
    pub fn base(&self) -> u64 {
        self.segments[0].base
    }

    /// The first offset behind it.
    pub fn end(&self) -> u64 {
        self.segments.last().map_or(0, |segment| segment.end)
    }
}

/// A partition's directory, as a pass needs it.
pub trait Folder {
    /// Reads bytes from `position` on; fewer than asked for only at the end of the file.
    fn read_at(&mut self, file: &str, position: u64, into: &mut [u8]) -> io::Result<usize>;
    /// An empty file, whatever an earlier pass has left under this name. The directory is not made:
    /// if it is gone, so is its topic.
    fn create(&mut self, file: &str) -> io::Result<()>;
    fn append(&mut self, file: &str, bytes: &[u8]) -> io::Result<()>;
    /// All of the file on the disk; it is not touched again.
    fn sync(&mut self, file: &str) -> io::Result<()>;
    fn remove(&mut self, file: &str) -> io::Result<()>;
}

/// One pass. After an error whatever it has written is of no use to anybody.
pub fn run(folder: &mut dyn Folder, plan: &Plan) -> io::Result<Compacted> {
    let (newest, mapped_to) = newest(folder, plan)?;
    let rules = Rules {
        newest: &newest,
        dirty_from: plan.dirty_from as i64,
        mapped_to: mapped_to as i64,
        now_ms: plan.now_ms as i64,
        horizon_ms: plan.now_ms.saturating_add(plan.delete_retention_ms).min(i64::MAX as u64)
            as i64,
    };
    let mut done = Compacted { cleaned_to: mapped_to, ..Compacted::default() };
    let mut output: Option<Output> = None;
    let last = plan.segments.last();
    for segment in plan.segments.iter().filter(|segment| segment.base < mapped_to) {
        let mut into = match output.take() {
            Some(open) if open.takes(segment, plan.segment_bytes) => open,
            full => {
                finish(full, folder, &mut done)?;
                Output::create(folder, segment.base, plan.index_interval_bytes)?
            }
        };
        let mut source = Source::new(segment);
        while let Some((batch, at_end)) = source.next(folder)? {
            let last = at_end && last == Some(segment);
            let left = into.add(folder, |bytes| rules.clean(&batch, last, bytes))?;
            done.unreadable += u64::from(left == Left::Unreadable);
        }
        done.before += segment.size;
        into.has(*segment);
        output = Some(into);
    }
    finish(output, folder, &mut done)?;
    Ok(done)
}

/// Completes a new segment, unless it says what the old one says.
fn finish(output: Option<Output>, folder: &mut dyn Folder, done: &mut Compacted) -> io::Result<()> {
    let Some(output) = output else { return Ok(()) };
    done.after += output.size();
    done.groups.extend(output.finish(folder)?);
    Ok(())
}

/// The newest offset of each key in the new part of the log, and how far that part was read: to its
/// end, or up to a batch whose keys found no more room.
fn newest(folder: &mut dyn Folder, plan: &Plan) -> io::Result<(Newest, u64)> {
    let mut newest = Newest::new(plan.keys_bytes);
    let mut mapped_to = plan.dirty_from;
    for segment in plan.segments.iter().filter(|segment| segment.end > plan.dirty_from) {
        let mut source = Source::new(segment);
        while let Some((batch, _)) = source.next(folder)? {
            if batch.header.last_offset() < plan.dirty_from as i64 {
                continue;
            }
            // One batch is always taken, so that every pass gets on.
            if newest.is_full() && mapped_to > plan.dirty_from {
                return Ok((newest, mapped_to));
            }
            mapped_to = batch.header.last_offset() as u64 + 1;
            let Some(records) = readable(&batch) else { continue };
            for record in records.iter().flatten() {
                if let Some(key) = record.key {
                    newest.put(key, record.offset);
                }
            }
        }
        mapped_to = segment.end;
    }
    Ok((newest, mapped_to))
}
