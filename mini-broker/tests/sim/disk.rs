//! A disk in memory. What a process has written outlives its death; what was synced outlives a loss of
//! power, and of the rest as much as chance wants.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use mini_broker::broker::compact::{self, Folder};
use mini_broker::broker::{Done, Job, Measured};
use mini_broker::coordinator::snapshot;

use crate::dice::Dice;

/// Clones share the disk.
#[derive(Clone, Default)]
pub struct Disk(Arc<Mutex<State>>);

#[derive(Default)]
pub struct State {
    pub dirs: BTreeMap<String, BTreeMap<String, File>>,
    pub texts: BTreeMap<String, String>,
    /// Counts starts of the machine.
    pub boot: u32,
    /// The process dies in the last of so many more writes, which then is torn.
    pub writes_left: Option<u32>,
    /// So many thousandths of the torn write are left.
    pub torn_per_mille: u64,
    /// The process has died in a write; nothing it does reaches the disk any more.
    pub dead: bool,
    pub full: bool,
    /// A bug that was planted: logs are not cut.
    pub keeps_all: bool,
    /// The next so many writes fail.
    pub failing_writes: u32,
    /// The next so many syncs fail.
    pub failing_syncs: u32,
    /// Directories in which something happened to a log since somebody last looked, and whether it only
    /// grew.
    pub touched: BTreeMap<String, bool>,
    last_file: u64,
}

#[derive(Clone, Default)]
pub struct File {
    id: u64,
    pub bytes: Vec<u8>,
    /// What a loss of power leaves for sure; `None`: not even the name.
    synced: Option<Vec<u8>>,
    /// How short it was since the last sync.
    least: usize,
    /// It was renamed over another since the last sync: it is the one or the other.
    replaces: bool,
}

/// A job under way, with what the disk held when it began.
pub struct Running {
    pub job: Job,
    held: Vec<(String, u64, Vec<u8>)>,
}

impl Disk {
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub fn begin(&self, job: Job) -> Running {
        let held = match &job {
            Job::Sync { dir, .. } => self.lock().held(dir),
            _ => Vec::new(),
        };
        Running { job, held }
    }

    /// Ends a job. What was written after it began may not be on the disk.
    pub fn end(&self, running: Running) -> io::Result<Done> {
        let mut state = self.lock();
        match running.job {
            Job::Sync { dir, to } => {
                state.may_sync()?;
                state.hold(&dir, running.held);
                Ok(Done::Synced { to })
            }
            Job::Remove { dir } => {
                state.dirs.remove(&dir);
                Ok(Done::Removed)
            }
            Job::Checkpoint { name, text } => {
                state.may_write()?;
                state.texts.insert(name, text);
                Ok(Done::Written)
            }
            Job::Snapshot { dir, name, bytes } => {
                state.may_write()?;
                let files = state.dirs.entry(dir).or_default();
                files.retain(|other, _| snapshot::end_of(other).is_none());
                let (bytes, least) = (bytes.to_vec(), bytes.len());
                let synced = Some(bytes.clone());
                files.insert(name, File { bytes, synced, least, ..File::default() });
                Ok(Done::Written)
            }
            Job::Measure { dirs } => {
                let sizes = vec![0; dirs.len()];
                Ok(Done::Measured(Measured { sizes, ..Measured::default() }))
            }
            Job::Compact { dir, plan } => {
                let mut folder = InDir { state: &mut state, dir };
                compact::run(&mut folder, &plan).map(Done::Compacted)
            }
            Job::Sweep { dir } => {
                if let Some(files) = state.dirs.get_mut(&dir) {
                    let names: Vec<String> = files.keys().cloned().collect();
                    for name in compact::swap::litter(&names) {
                        files.remove(name);
                    }
                }
                Ok(Done::Swept)
            }
        }
    }
}

impl State {
    fn held(&self, dir: &str) -> Vec<(String, u64, Vec<u8>)> {
        let files = self.dirs.get(dir).into_iter().flatten();
        files.map(|(name, file)| (name.clone(), file.id, file.bytes.clone())).collect()
    }

    fn hold(&mut self, dir: &str, held: Vec<(String, u64, Vec<u8>)>) {
        let Some(files) = self.dirs.get_mut(dir) else { return };
        for (name, id, bytes) in held {
            if let Some(file) = files.get_mut(&name).filter(|file| file.id == id) {
                file.least = file.bytes.len();
                file.replaces = false;
                file.synced = Some(bytes);
            }
        }
    }

    /// A clean stop syncs here and now.
    pub fn sync_now(&mut self, dir: &str) -> io::Result<()> {
        self.may_sync()?;
        let held = self.held(dir);
        self.hold(dir, held);
        Ok(())
    }

    fn may_sync(&mut self) -> io::Result<()> {
        if self.failing_syncs > 0 {
            self.failing_syncs -= 1;
            return Err(io::Error::other("the disk lost a page"));
        }
        self.alive()
    }

    pub fn alive(&self) -> io::Result<()> {
        if self.dead { Err(io::Error::other("the process is dead")) } else { Ok(()) }
    }

    /// Whether a write goes well. One that the process dies in is for the caller to tear.
    pub fn may_write(&mut self) -> io::Result<()> {
        self.alive()?;
        if self.failing_writes > 0 {
            self.failing_writes -= 1;
            return Err(io::Error::other("the disk could not write"));
        }
        if self.full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    /// Counts a write. True: the process dies in it.
    pub fn dies(&mut self) -> bool {
        let Some(left) = self.writes_left.as_mut() else { return false };
        *left -= 1;
        if *left == 0 {
            (self.dead, self.writes_left) = (true, None);
        }
        self.dead
    }

    pub fn touch(&mut self, dir: &str, file: &str, grew: bool) {
        if file.ends_with(".log") || file.ends_with(".swap") {
            *self.touched.entry(dir.into()).or_insert(true) &= grew;
        }
    }

    pub fn append(&mut self, dir: &str, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.may_write()?;
        let dies = self.dies();
        let kept = match dies {
            true => (bytes.len() as u64 * self.torn_per_mille / 1000) as usize,
            false => bytes.len(),
        };
        self.last_file += 1;
        let id = self.last_file;
        let files = self.dirs.entry(dir.into()).or_default();
        let file = files.entry(name.into()).or_insert_with(|| File { id, ..File::default() });
        file.bytes.extend_from_slice(&bytes[..kept]);
        self.touch(dir, name, true);
        self.alive()
    }

    pub fn truncate(&mut self, dir: &str, name: &str, len: u64) -> io::Result<()> {
        self.alive()?;
        if self.keeps_all && name.ends_with(".log") {
            return Ok(());
        }
        self.dies();
        if let Some(file) = self.dirs.get_mut(dir).and_then(|files| files.get_mut(name)) {
            file.bytes.resize(len as usize, 0);
            file.least = file.least.min(len as usize);
        }
        self.touch(dir, name, false);
        self.alive()
    }

    pub fn remove(&mut self, dir: &str, name: &str) -> io::Result<()> {
        self.alive()?;
        self.dies();
        if let Some(files) = self.dirs.get_mut(dir) {
            files.remove(name);
        }
        self.touch(dir, name, false);
        self.alive()
    }

    pub fn rename(&mut self, dir: &str, from: &str, to: &str) -> io::Result<()> {
        self.alive()?;
        if self.dies() {
            return self.alive();
        }
        let files = self.dirs.get_mut(dir).ok_or(io::ErrorKind::NotFound)?;
        let mut file = files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        if let Some(old) = files.remove(to) {
            (file.synced, file.replaces) = (old.synced, true);
        }
        files.insert(to.into(), file);
        self.touch(dir, from, false);
        self.touch(dir, to, false);
        Ok(())
    }

    pub fn set_aside(&mut self, name: &str, ending: &str) -> io::Result<String> {
        self.alive()?;
        let free = |aside: &String| !self.dirs.contains_key(aside);
        let names = (0..).map(|attempt| format!("{name}.{attempt}{ending}"));
        let aside = names.into_iter().find(free).expect("some number is free");
        let files = self.dirs.remove(name).ok_or(io::ErrorKind::NotFound)?;
        self.dirs.insert(aside.clone(), files);
        self.touched.insert(name.into(), false);
        Ok(aside)
    }

    pub fn read_at(&self, dir: &str, file: &str, position: u64, into: &mut [u8]) -> usize {
        let file = self.dirs.get(dir).and_then(|files| files.get(file));
        let bytes = file.map_or(&[][..], |file| &file.bytes);
        let rest = &bytes[bytes.len().min(position as usize)..];
        let read = rest.len().min(into.len());
        into[..read].copy_from_slice(&rest[..read]);
        read
    }

    /// The machine goes out and starts again. What was not synced is there in part, or not at all.
    pub fn lose_power(&mut self, dice: &mut Dice) {
        self.boot += 1;
        let mut touched = BTreeSet::new();
        for (dir, files) in &mut self.dirs {
            // What was written to a younger segment is not there where an older one lacks something: so
            // much order a file system keeps, mostly.
            let mut older_lacks = false;
            files.retain(|name, file| {
                let before = file.bytes.len();
                let is_log = name.ends_with(".log");
                let stays = file.lose_power(dice) && !(is_log && older_lacks);
                let lacks = !stays || file.bytes.len() < before;
                older_lacks |= is_log && lacks;
                if (is_log || name == "partition.metadata") && lacks {
                    touched.insert(dir.clone());
                }
                stays
            });
        }
        for dir in touched {
            self.touched.insert(dir, false);
        }
        self.dirs.retain(|_, files| !files.is_empty());
    }

    /// A new process of this machine.
    pub fn begin_anew(&mut self) {
        (self.dead, self.writes_left) = (false, None);
    }
}

impl File {
    /// Whether there is still such a file.
    fn lose_power(&mut self, dice: &mut Dice) -> bool {
        let now = self.bytes.len();
        let kept = match self.synced.take() {
            None if dice.chance(500) => return false,
            None => dice.between(0, now as u64) as usize,
            Some(synced) if self.replaces => {
                if dice.chance(500) {
                    self.bytes = synced;
                }
                self.bytes.len() // a rename waits for what it renames
            }
            // That a file was cut is written down before anything that was done later.
            Some(synced) if self.least < synced.len() => {
                dice.between(self.least.min(now) as u64, now as u64) as usize
            }
            Some(synced) if dice.chance(300) => synced.len(),
            Some(synced) => dice.between(synced.len() as u64, now as u64) as usize,
        };
        self.bytes.truncate(kept);
        self.least = self.bytes.len();
        self.synced = Some(self.bytes.clone());
        self.replaces = false;
        true
    }
}

/// A directory, for a pass of compaction.
struct InDir<'a> {
    state: &'a mut State,
    dir: String,
}

impl Folder for InDir<'_> {
    fn read_at(&mut self, file: &str, position: u64, into: &mut [u8]) -> io::Result<usize> {
        Ok(self.state.read_at(&self.dir, file, position, into))
    }

    fn create(&mut self, file: &str) -> io::Result<()> {
        let _ = self.state.remove(&self.dir, file);
        self.append(file, &[])
    }

    fn append(&mut self, file: &str, bytes: &[u8]) -> io::Result<()> {
        let dir = self.dir.clone();
        self.state.append(&dir, file, bytes)
    }

    fn sync(&mut self, _: &str) -> io::Result<()> {
        let dir = self.dir.clone();
        self.state.sync_now(&dir)
    }

    fn remove(&mut self, file: &str) -> io::Result<()> {
        let dir = self.dir.clone();
        self.state.remove(&dir, file)
    }
}
