//! The real files: directories with their open handles, small text files, and the slow jobs.
//!
//! All handles of a broker stand in one table, the least recently used closed first, so that ten
//! thousand partitions do not need thirty thousand open files. A fetched slice is resolved to its
//! `Arc<File>` in the same turn: whoever sends it keeps the file, even when it is deleted meanwhile.

mod dirs;
mod folder;
mod table;

pub use dirs::RealDir;

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::statvfs;

use crate::broker::compact::{self, swap};
use crate::coordinator::snapshot;
use crate::labs;
use crate::node::{Done, Files, Job, Located, Measured};
use folder::RealFolder;
use table::Table;

/// A data directory, locked for this process. Clones share the handles and the lock.
#[derive(Clone)]
pub struct RealFiles {
    root: PathBuf,
    table: Arc<Mutex<Table>>,
    replacing: Arc<Mutex<()>>,
    /// Held for as long as the broker lives; the system lets go of it even after kill -9.
    _lock: Arc<File>,
}

impl RealFiles {
    /// Makes the directory if need be and locks it. The error is a sentence for the person who
    /// started the broker.
    pub fn open(root: &Path, most_open_files: usize) -> io::Result<Self> {
        let told = |what: &str, error: io::Error| {
            io::Error::new(error.kind(), format!("{what} {}: {error}", root.display()))
        };
        fs::create_dir_all(root).map_err(|error| told("cannot make the data directory", error))?;
        let lock = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(root.join(".lock"))
            .map_err(|error| told("cannot write to the data directory", error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::new(
                    io::ErrorKind::ResourceBusy,
                    format!(
                        "the data directory {} is in use by another broker: stop it, or choose \
                         another directory with --data-dir",
                        root.display()
                    ),
                ));
            }
            Err(TryLockError::Error(error)) => return Err(told("cannot lock", error)),
        }
        Ok(Self {
            root: root.to_path_buf(),
            table: Arc::new(Mutex::new(Table::new(most_open_files))),
            replacing: Arc::default(),
            _lock: Arc::new(lock),
        })
    }

    /// The open file of one segment: to be sent from while the broker goes on.
    pub fn segment(&self, dir: &str, segment: u64) -> io::Result<Arc<File>> {
        self.table().file(&self.root, dir, &segment_file(segment))
    }

    /// Does one slow job, on the blocking pool.
    pub fn run(&self, job: Job) -> io::Result<Done> {
        match job {
            Job::Sync { dir, to, .. } => {
                // Taken under the lock, synced outside: appends go on meanwhile.
                let files = self.table().take_dirty(&self.root, &dir)?;
                sync_files(&self.root.join(&dir), &files)?;
                Ok(Done::Synced { to })
            }
            Job::Remove { dir } => {
                fs::remove_dir_all(self.root.join(dir))?;
                Ok(Done::Removed)
            }
            Job::Checkpoint { name, text } => {
                self.replace(&name, &text)?;
                Ok(Done::Written)
            }
            Job::Snapshot { dir, name, bytes } => {
                write_snapshot(&self.root.join(dir), &name, &bytes)?;
                Ok(Done::Written)
            }
            Job::Measure { dirs } => self.measure(&dirs).map(Done::Measured),
            Job::Compact { dir, plan } => {
                let mut folder = RealFolder::new(self.root.join(dir));
                let pass = compact::run(&mut folder, &plan)?;
                folder.sync_names()?;
                Ok(Done::Compacted(pass))
            }
            Job::Sweep { dir } => {
                self.sweep(&dir)?;
                Ok(Done::Swept)
            }
        }
    }

    /// Removes what compaction has left. The names come first: after a power loss an old file must not be
    /// gone while the new one has its old name.
    fn sweep(&self, name: &str) -> io::Result<()> {
        let dir = self.root.join(name);
        let entries = match fs::read_dir(&dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        File::open(&dir)?.sync_all()?;
        let names = entries.map(|entry| Ok(entry?.file_name().into_string().unwrap_or_default()));
        let names = names.collect::<io::Result<Vec<_>>>()?;
        swap::litter(&names).try_for_each(|file| {
            // An index gets its last entry when its segment is sealed, which may be after the sync
            // that made its records safe. The next sync must not look for it.
            self.table().forget_file(name, file);
            fs::remove_file(dir.join(file))
        })
    }

    /// Sizes as the file system has them. Of a log that is open, some of its index may still be in
    /// memory; the `.log` files, which count, are never behind.
    fn measure(&self, dirs: &[String]) -> io::Result<Measured> {
        let root = fs::canonicalize(&self.root)?;
        let volume = statvfs(&root)?;
        let size = |dir: &String| -> io::Result<u64> {
            let files = match fs::read_dir(root.join(dir)) {
                // Deleted meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
                files => files?,
            };
            let mut size = 0;
            for file in files {
                let file = file?;
                if file.path().extension().is_some_and(|extension| extension == "log") {
                    size += file.metadata().map_or(0, |metadata| metadata.len());
                }
            }
            Ok(size)
        };
        Ok(Measured {
            sizes: dirs.iter().map(size).collect::<io::Result<_>>()?,
            log_dir: root.display().to_string(),
            total_bytes: volume.f_blocks * volume.f_frsize,
            usable_bytes: volume.f_bavail * volume.f_frsize,
        })
    }

    /// Replaces a small file as a whole. One at a time: two would share the temporary file.
    fn replace(&self, name: &str, text: &str) -> io::Result<()> {
        let _one = self.replacing.lock().unwrap_or_else(PoisonError::into_inner);
        replace(&self.root.join(name), text)
    }

    /// Nothing panics while it holds the table, but a broken organ's thread may be unwound through
    /// a `Dir`: the table itself is whole at every await of its lock.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Files for RealFiles {
    fn dir(&mut self, name: &str) -> io::Result<Box<dyn labs::offset_log::Dir>> {
        Ok(Box::new(RealDir::new(&self.root, name, Arc::clone(&self.table))))
    }

    fn metadata_dir(&mut self, name: &str) -> io::Result<Box<dyn offset_log_solution::Dir>> {
        Ok(Box::new(RealDir::new(&self.root, name, Arc::clone(&self.table))))
    }

    fn read_at(&self, located: &Located, into: &mut [u8]) -> io::Result<usize> {
        let file = segment_file(located.segment);
        self.table().read_at(&self.root, &located.dir, &file, located.position, into)
    }

    fn dirs(&self) -> io::Result<Vec<String>> {
        let mut names = BTreeSet::new();
        for entry in fs::read_dir(&self.root)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                names.extend(entry.file_name().into_string().ok());
            }
        }
        Ok(names.into_iter().collect())
    }

    fn rename(&mut self, dir: &str, from: &str, to: &str) -> io::Result<()> {
        self.table().rename(&self.root, dir, from, to)
    }

    fn set_aside(&mut self, name: &str, ending: &str) -> io::Result<String> {
        self.table().forget(name);
        // A name of 255 bytes is the most; the longest topic's directory has nearly that.
        let start: String = name.chars().take(200).collect();
        let aside = (0..)
            .map(|attempt| format!("{start}.{attempt}{ending}"))
            .find(|aside| !self.root.join(aside).exists())
            .expect("some number is free");
        fs::rename(self.root.join(name), self.root.join(&aside))?;
        Ok(aside)
    }

    fn checkpoint(&mut self, name: &str, text: &str) -> io::Result<()> {
        self.replace(name, text)
    }

    fn text(&self, name: &str) -> io::Result<Option<String>> {
        match fs::read_to_string(self.root.join(name)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn names(&self, dir: &str) -> io::Result<Vec<String>> {
        let files = self.table().list(&self.root, dir)?;
        Ok(files.into_iter().map(|(name, _)| name).collect())
    }

    fn bytes(&self, name: &str) -> io::Result<Vec<u8>> {
        fs::read(self.root.join(name))
    }

    fn boot_id(&self) -> io::Result<String> {
        match fs::read_to_string("/proc/sys/kernel/random/boot_id") {
            Ok(id) => Ok(id.trim().into()),
            // Elsewhere than on Linux nobody says: every start may be one after a power loss.
            Err(_) => Ok(String::new()),
        }
    }

    fn sync(&mut self, dir: &str) -> io::Result<()> {
        let files = self.table().take_dirty(&self.root, dir)?;
        sync_files(&self.root.join(dir), &files)
    }
}

/// A segment's file is named by its base offset, in twenty digits.
fn segment_file(segment: u64) -> String {
    format!("{segment:020}.log")
}

fn sync_files(dir: &Path, files: &[Arc<File>]) -> io::Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    files.iter().try_for_each(|file| file.sync_data())?;
    // A new file's name is part of the directory.
    File::open(dir)?.sync_all()
}

/// The new one is there before an old one goes, so that a kill at any moment leaves one of them.
fn write_snapshot(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let part = dir.join(name).with_extension(&snapshot::PART[1..]);
    let mut file = File::create(&part)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    fs::rename(&part, dir.join(name))?;
    File::open(dir)?.sync_all()?;
    for entry in fs::read_dir(dir)? {
        let other = entry?.file_name().into_string().unwrap_or_default();
        if other != name && (snapshot::end_of(&other).is_some() || other.ends_with(snapshot::PART))
        {
            fs::remove_file(dir.join(other))?;
        }
    }
    Ok(())
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let parent = path.parent().expect("a file in the data directory");
    fs::create_dir_all(parent)?;
    let temporary = path.with_extension("tmp");
    let mut file = File::create(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_data()?;
    fs::rename(&temporary, path)?;
    File::open(parent)?.sync_all()
}

#[cfg(test)]
mod tests;
