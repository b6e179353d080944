//! New segments in the place of old ones, so that a kill at any moment leaves the one or the other.
//!
//! ```text
//!    00…000.log.cleaned  .index.cleaned  .timeindex.cleaned        what a pass has written
//! 1  00…000.log.cleaned       →  00…000-00…500.log.swap            from here on it counts
//! 2  00…100.log, …, 00…400.*  →  00…100.log.deleted, …
//! 3  00…000.log               →  00…000.log.deleted
//! 4  00…000.index.cleaned     →  00…000.index                      and the time index
//! 5  00…000-00…500.log.swap   →  00…000.log
//! ```
//!
//! Before step 1 whatever is called `.cleaned` is worth nothing. After it the name of the `.swap`
//! file says what is to be done: it stands for all segments that begin in this range of offsets.
//! Every step may be done twice. So whoever opens the log and meets a `.swap` file does all that is
//! left. Only names change here, which takes microseconds; the old bytes, which may take longer to
//! remove, go later, once the directory itself is on the disk.
//!
//! After a power loss the names must not be newer than what they were changed after. Journaling file
//! systems keep the order of renames. (Kafka: `LocalLog.replaceSegments` and `LogLoader`, which
//! relies on the same; its `.swap` file does not say where its range ends.)

use std::io;

use super::Group;
use crate::broker::Files;

pub const LOG: &str = "log";
pub const INDEX: &str = "index";
pub const TIME_INDEX: &str = "timeindex";

/// Under which name a pass leaves a new segment's file.
pub fn cleaned(base: u64, kind: &str) -> String {
    format!("{base:020}.{kind}.cleaned")
}

/// The files that only wait to be removed, at a time when no pass runs. What a `.swap` file needs to
/// become a segment is not among them.
pub fn litter(names: &[String]) -> impl Iterator<Item = &String> {
    let swaps = names.iter().any(|name| range_of(name).is_some());
    names
        .iter()
        .filter(move |name| name.ends_with(".deleted") || (name.ends_with(".cleaned") && !swaps))
}

/// Puts a new segment in place. No log of this directory may be open.
pub fn replace(files: &mut dyn Files, dir: &str, group: &Group) -> io::Result<()> {
    let (base, end) = (group.base(), group.end());
    files.rename(dir, &cleaned(base, LOG), &swap_file(base, end))?;
    let old = group.segments.iter().map(|segment| segment.base);
    let old = old.flat_map(|base| [LOG, INDEX, TIME_INDEX].map(|kind| file(base, kind)));
    complete(files, dir, base, end, old)
}

/// Completes what a kill has interrupted. No log of this directory may be open. Says whether there
/// are files to be removed.
pub fn settle(files: &mut dyn Files, dir: &str) -> io::Result<bool> {
    let names: Vec<String> = files.dir(dir)?.list()?.into_iter().map(|(name, _)| name).collect();
    let mut waiting = litter(&names).next().is_some();
    for name in &names {
        if let Some((base, end)) = range_of(name) {
            let old = names
                .iter()
                .filter(|name| base_of(name).is_some_and(|begin| (base..end).contains(&begin)));
            complete(files, dir, base, end, old.cloned())?;
            waiting = true;
        }
    }
    Ok(waiting)
}

/// Steps 2 to 5. `old` are files that may be there.
fn complete(
    files: &mut dyn Files,
    dir: &str,
    base: u64,
    end: u64,
    old: impl Iterator<Item = String>,
) -> io::Result<()> {
    let own_index = [INDEX, TIME_INDEX].map(|kind| file(base, kind));
    for old in old.filter(|old| !own_index.contains(old)) {
        rename_if_there(files, dir, &old, &format!("{old}.deleted"))?;
    }
    for kind in [INDEX, TIME_INDEX] {
        rename_if_there(files, dir, &cleaned(base, kind), &file(base, kind))?;
    }
    files.rename(dir, &swap_file(base, end), &file(base, LOG))
}

fn rename_if_there(files: &mut dyn Files, dir: &str, from: &str, to: &str) -> io::Result<()> {
    match files.rename(dir, from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        renamed => renamed,
    }
}

fn file(base: u64, kind: &str) -> String {
    format!("{base:020}.{kind}")
}

fn swap_file(base: u64, end: u64) -> String {
    format!("{base:020}-{end:020}.log.swap")
}

/// The offsets that a `.swap` file stands for.
fn range_of(name: &str) -> Option<(u64, u64)> {
    let (base, end) = name.strip_suffix(".log.swap")?.split_once('-')?;
    let (base, end) = (base.parse().ok()?, end.parse().ok()?);
    (name == swap_file(base, end)).then_some((base, end))
}

/// The base offset of the segment that a file belongs to.
fn base_of(name: &str) -> Option<u64> {
    let (base, kind) = name.split_once('.')?;
    let base = base.parse().ok()?;
    ([LOG, INDEX, TIME_INDEX].contains(&kind) && name == file(base, kind)).then_some(base)
}
