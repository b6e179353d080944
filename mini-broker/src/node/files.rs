//! What the broker asks of a disk, in one trait: the real one is `disk::RealFiles`, a simulator's
//! lives in memory. Names are relative to the data directory.

use std::io;

use super::Located;
use crate::labs::offset_log;

/// How the name of a directory ends that is to be removed: `Job::Remove` does it, or the next start.
pub const DELETE: &str = "-delete";
/// How the name of a directory ends that was found in a partition's place and is not its own. It is
/// kept, unless the next start finds that it is of a topic that is no more.
pub const STRAY: &str = "-stray";

pub trait Files: Send {
    /// A partition's directory. It is made at the first append.
    fn dir(&mut self, name: &str) -> io::Result<Box<dyn offset_log::Dir>>;
    /// The metadata log's directory: always for our own organ.
    fn metadata_dir(&mut self, name: &str) -> io::Result<Box<dyn offset_log_solution::Dir>>;
    /// Reads bytes of a segment; fewer than asked for only at the end of its file.
    fn read_at(&self, located: &Located, into: &mut [u8]) -> io::Result<usize>;
    /// The names of all directories, in order.
    fn dirs(&self) -> io::Result<Vec<String>>;
    /// Renames a file, over another if need be. Neither may be in use by a log that is open.
    fn rename(&mut self, dir: &str, from: &str, to: &str) -> io::Result<()>;
    /// Renames a directory so that its name is free, and says its new name, which ends as wanted:
    /// [`DELETE`] or [`STRAY`].
    fn set_aside(&mut self, name: &str, ending: &str) -> io::Result<String>;
    /// Replaces a small text file as a whole: temporary file, fsync, rename.
    fn checkpoint(&mut self, name: &str, text: &str) -> io::Result<()>;
    /// A small text file's content, if it is there.
    fn text(&self, name: &str) -> io::Result<Option<String>>;
    /// The names of a directory's files, in order; none if it is not there.
    fn names(&self, dir: &str) -> io::Result<Vec<String>>;
    /// A whole file's content.
    fn bytes(&self, name: &str) -> io::Result<Vec<u8>>;
    /// What is another string after the machine has started again: then what was written and not synced
    /// may be lost.
    fn boot_id(&self) -> io::Result<String>;
    /// Everything that was written to this directory, on the disk before this returns. Only for a
    /// clean stop: a running broker asks for `Job::Sync`.
    fn sync(&mut self, dir: &str) -> io::Result<()>;
}
