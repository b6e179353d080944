//! The table of open files: by directory and name, with what is written and not yet synced.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// Index files grow by 8 or 12 bytes an entry. Entries are kept here until there are this many
/// bytes, or a sync, a close or a truncation asks for them: one system call instead of hundreds.
/// A kill may lose them; they are rebuilt from the log behind the recovery point.
const INDEX_BUFFER: usize = 4096;

pub struct Table {
    dirs: BTreeMap<String, OpenDir>,
    open: usize,
    most_open: usize,
    clock: u64,
}

#[derive(Default)]
struct OpenDir {
    files: BTreeMap<String, Handle>,
    /// Written since the last sync. Survives the closing of a handle.
    dirty: BTreeSet<String>,
    made: bool,
}

struct Handle {
    file: Arc<File>,
    /// Bytes in the file itself.
    len: u64,
    /// Bytes behind them, still here. Invariant: empty for anything but an index.
    tail: Vec<u8>,
    dirty: bool,
    used: u64,
}

impl Table {
    pub fn new(most_open: usize) -> Self {
        Self { dirs: BTreeMap::new(), open: 0, most_open, clock: 0 }
    }

    /// The files of a directory with their lengths, in order of name; none if it is not made yet.
    pub fn list(&self, root: &Path, dir: &str) -> io::Result<Vec<(String, u64)>> {
        let mut files = Vec::new();
        let entries = match fs::read_dir(root.join(dir)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(files),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if let (true, Ok(name)) = (metadata.is_file(), entry.file_name().into_string()) {
                let here = self.dirs.get(dir).and_then(|open| open.files.get(&name));
                let len = here.map_or(metadata.len(), |handle| handle.end());
                files.push((name, len));
            }
        }
        files.sort();
        Ok(files)
    }

    pub fn read_at(
        &mut self,
        root: &Path,
        dir: &str,
        name: &str,
        position: u64,
        into: &mut [u8],
    ) -> io::Result<usize> {
        let handle = match self.handle(root, dir, name, false) {
            // A file that is not there is an empty one.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            handle => handle?,
        };
        if !handle.tail.is_empty() && position + into.len() as u64 > handle.len {
            handle.flush()?;
        }
        let mut read = 0;
        while read < into.len() {
            match handle.file.read_at(&mut into[read..], position + read as u64) {
                Ok(0) => break,
                Ok(more) => read += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(read)
    }

    /// Appends all the bytes, or leaves the file as it was.
    pub fn append(&mut self, root: &Path, dir: &str, name: &str, bytes: &[u8]) -> io::Result<()> {
        let handle = self.handle(root, dir, name, true)?;
        if name.ends_with("index") {
            handle.tail.extend_from_slice(bytes);
            if handle.tail.len() >= INDEX_BUFFER {
                handle.flush()?;
            }
        } else {
            handle.write(bytes)?;
        }
        if !handle.dirty {
            handle.dirty = true;
            self.dirs.entry(dir.into()).or_default().dirty.insert(name.into());
        }
        Ok(())
    }

    pub fn truncate(&mut self, root: &Path, dir: &str, name: &str, len: u64) -> io::Result<()> {
        let handle = self.handle(root, dir, name, true)?;
        handle.flush()?;
        handle.file.set_len(len)?;
        handle.len = len;
        handle.dirty = true;
        self.dirs.entry(dir.into()).or_default().dirty.insert(name.into());
        Ok(())
    }

    pub fn remove(&mut self, root: &Path, dir: &str, name: &str) -> io::Result<()> {
        self.forget_file(dir, name);
        match fs::remove_file(root.join(dir).join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Closes a file that is about to go: nothing of it needs to reach the disk.
    pub fn forget_file(&mut self, dir: &str, name: &str) {
        if let Some(open) = self.dirs.get_mut(dir) {
            self.open -= usize::from(open.files.remove(name).is_some());
            open.dirty.remove(name);
        }
    }

    /// Renames a file, over another if need be. What of it is not on the disk yet is still known.
    pub fn rename(&mut self, root: &Path, dir: &str, from: &str, to: &str) -> io::Result<()> {
        if let Some(open) = self.dirs.get_mut(dir) {
            for name in [from, to] {
                self.open -= usize::from(open.files.remove(name).is_some());
            }
            open.dirty.remove(to);
            if open.dirty.remove(from) {
                open.dirty.insert(to.into());
            }
        }
        let dir = root.join(dir);
        fs::rename(dir.join(from), dir.join(to))
    }

    /// The open file itself, for a reader who outlives this table's handle.
    pub fn file(&mut self, root: &Path, dir: &str, name: &str) -> io::Result<Arc<File>> {
        self.handle(root, dir, name, false).map(|handle| Arc::clone(&handle.file))
    }

    /// What was written to a directory since the last call, ready to be synced.
    pub fn take_dirty(&mut self, root: &Path, dir: &str) -> io::Result<Vec<Arc<File>>> {
        let Some(open) = self.dirs.get_mut(dir) else { return Ok(Vec::new()) };
        let names = std::mem::take(&mut open.dirty);
        let mut files = Vec::new();
        for name in names {
            let handle = self.handle(root, dir, &name, false)?;
            handle.flush()?;
            handle.dirty = false;
            files.push(Arc::clone(&handle.file));
        }
        Ok(files)
    }

    /// Closes a directory's handles, what is buffered written first. What is not synced stays known.
    pub fn close(&mut self, dir: &str) {
        let Some(open) = self.dirs.get_mut(dir) else { return };
        self.open -= open.files.len();
        for mut handle in std::mem::take(&mut open.files).into_values() {
            // An index that cannot be written is rebuilt when it is needed.
            let _ = handle.flush();
        }
        if open.dirty.is_empty() {
            self.dirs.remove(dir);
        }
    }

    /// Closes a directory that is about to go: nothing of it needs to reach the disk.
    pub fn forget(&mut self, dir: &str) {
        if let Some(open) = self.dirs.remove(dir) {
            self.open -= open.files.len();
        }
    }

    fn handle(
        &mut self,
        root: &Path,
        dir: &str,
        name: &str,
        write: bool,
    ) -> io::Result<&mut Handle> {
        self.clock += 1;
        let known = self.dirs.get(dir).is_some_and(|open| open.files.contains_key(name));
        if !known {
            self.open_file(root, dir, name, write)?;
        }
        let open = self.dirs.get_mut(dir).expect("just opened");
        let handle = open.files.get_mut(name).expect("just opened");
        handle.used = self.clock;
        Ok(handle)
    }

    fn open_file(&mut self, root: &Path, dir: &str, name: &str, write: bool) -> io::Result<()> {
        if self.open >= self.most_open {
            self.close_oldest()?;
        }
        let path = root.join(dir);
        if write && !self.dirs.get(dir).is_some_and(|open| open.made) {
            fs::create_dir_all(&path)?;
        }
        let file = File::options().read(true).write(true).create(write).open(path.join(name))?;
        let len = file.metadata()?.len();
        let open = self.dirs.entry(dir.into()).or_default();
        open.made |= write;
        let dirty = open.dirty.contains(name);
        let handle = Handle { file: Arc::new(file), len, tail: Vec::new(), dirty, used: 0 };
        open.files.insert(name.into(), handle);
        self.open += 1;
        Ok(())
    }

    /// Closes the eighth of the handles that was not used for the longest time: all at once, because
    /// finding them takes a look at every handle.
    fn close_oldest(&mut self) -> io::Result<()> {
        let handles = || self.dirs.values().flat_map(|open| open.files.values());
        let mut used: Vec<u64> = handles().map(|handle| handle.used).collect();
        let last = used.len() / 8;
        let (_, newest_to_go, _) = used.select_nth_unstable(last);
        let newest_to_go = *newest_to_go;
        for open in self.dirs.values_mut() {
            for handle in open.files.values_mut().filter(|handle| handle.used <= newest_to_go) {
                handle.flush()?;
            }
            let before = open.files.len();
            open.files.retain(|_, handle| handle.used > newest_to_go);
            self.open -= before - open.files.len();
        }
        self.dirs.retain(|_, open| !open.files.is_empty() || !open.dirty.is_empty());
        Ok(())
    }
}

impl Handle {
    fn end(&self) -> u64 {
        self.len + self.tail.len() as u64
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.tail.is_empty() {
            let tail = std::mem::take(&mut self.tail);
            if let Err(error) = self.write(&tail) {
                self.tail = tail;
                return Err(error);
            }
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.file.write_all_at(bytes, self.len) {
            Ok(()) => {
                self.len += bytes.len() as u64;
                Ok(())
            }
            Err(error) => {
                // Half a batch would be a torn tail to the next reader.
                let _ = self.file.set_len(self.len);
                Err(error)
            }
        }
    }
}
