//! A disk in memory that may die: after some changes more, nothing changes any more. What it holds
//! then is what a kill -9 leaves. And the jobs, done on it.

use std::io;
use std::sync::{Arc, Mutex};

use mini_broker::broker::compact::{Folder, run, swap};
use mini_broker::broker::{Done, Job, Measured};
use mini_broker::coordinator::{METADATA_DIR, snapshot};
use mini_broker::labs::offset_log::{Dir, MemDir};

use crate::by_hand::{MemFiles, measured};

/// How many changes are still made; `None`: all.
#[derive(Clone, Default)]
pub struct Life(Arc<Mutex<Option<u64>>>);

impl Life {
    pub fn set(&self, changes: Option<u64>) {
        *self.0.lock().unwrap() = changes;
    }

    pub fn is_over(&self) -> bool {
        *self.0.lock().unwrap() == Some(0)
    }

    pub fn is_endless(&self) -> bool {
        self.0.lock().unwrap().is_none()
    }

    /// Before every change of a file.
    pub fn spend(&self) -> io::Result<()> {
        match &mut *self.0.lock().unwrap() {
            Some(0) => Err(io::Error::other("killed")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// A directory on such a disk.
pub struct Mortal {
    pub dir: MemDir,
    pub life: Life,
}

impl Mortal {
    /// The last write before the end may be torn.
    fn write(&mut self, file: &str, bytes: &[u8]) -> io::Result<()> {
        self.life.spend()?;
        let torn = self.life.is_over() && !bytes.is_empty();
        let written = if torn { &bytes[..bytes.len() / 2] } else { bytes };
        Dir::append(&mut self.dir, file, written)?;
        if torn { Err(io::Error::other("killed")) } else { Ok(()) }
    }
}

impl Dir for Mortal {
    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        self.dir.list()
    }

    fn read_at(&self, file: &str, position: u64, into: &mut [u8]) -> io::Result<usize> {
        self.dir.read_at(file, position, into)
    }

    fn append(&mut self, file: &str, bytes: &[u8]) -> io::Result<()> {
        self.write(file, bytes)
    }

    fn truncate(&mut self, file: &str, len: u64) -> io::Result<()> {
        self.life.spend()?;
        self.dir.truncate(file, len)
    }

    fn remove(&mut self, file: &str) -> io::Result<()> {
        self.life.spend()?;
        self.dir.remove(file)
    }
}

impl Folder for Mortal {
    fn read_at(&mut self, file: &str, position: u64, into: &mut [u8]) -> io::Result<usize> {
        Dir::read_at(&self.dir, file, position, into)
    }

    fn create(&mut self, file: &str) -> io::Result<()> {
        self.life.spend()?;
        self.dir.put(file, Vec::new());
        Ok(())
    }

    fn append(&mut self, file: &str, bytes: &[u8]) -> io::Result<()> {
        self.write(file, bytes)
    }

    fn sync(&mut self, _: &str) -> io::Result<()> {
        self.life.spend()
    }

    fn remove(&mut self, file: &str) -> io::Result<()> {
        Dir::remove(self, file)
    }
}

impl MemFiles {
    pub fn mortal(&self, dir: &str) -> Mortal {
        Mortal { dir: self.dir_of(dir), life: self.life.clone() }
    }

    /// Does one job, as `RealFiles::run` does.
    pub fn run(&self, job: Job) -> io::Result<Done> {
        match job {
            Job::Sync { dir, to } => {
                // The coordinator's own disk is another's business.
                if dir != METADATA_DIR {
                    self.life.spend()?;
                }
                Ok(Done::Synced { to })
            }
            Job::Remove { dir } => {
                self.life.spend()?;
                self.dirs.lock().unwrap().remove(&dir);
                Ok(Done::Removed)
            }
            Job::Checkpoint { name, text } => {
                self.life.spend()?;
                self.texts.lock().unwrap().insert(name, text);
                Ok(Done::Written)
            }
            Job::Snapshot { name, bytes, .. } => {
                let part = format!("{name}.part");
                self.life.spend()?;
                self.metadata.put(&part, bytes[..bytes.len() / 2].to_vec()); // torn
                self.life.spend()?;
                self.metadata.put(&part, bytes.to_vec());
                self.life.spend()?;
                self.metadata.lose(&part);
                self.metadata.put(&name, bytes.to_vec());
                for old in self.metadata.files().into_keys() {
                    let gone = snapshot::end_of(&old).is_some() || old.ends_with(snapshot::PART);
                    if gone && old != name {
                        self.life.spend()?;
                        self.metadata.lose(&old);
                    }
                }
                Ok(Done::Written)
            }
            Job::Measure { dirs } => {
                let sizes = dirs.iter().map(|dir| self.log_bytes(dir)).collect();
                Ok(Done::Measured(Measured { sizes, ..measured() }))
            }
            Job::Compact { dir, plan } => run(&mut self.mortal(&dir), &plan).map(Done::Compacted),
            Job::Sweep { dir } => {
                let mut dir = self.mortal(&dir);
                let names: Vec<String> = dir.list()?.into_iter().map(|(name, _)| name).collect();
                swap::litter(&names).try_for_each(|name| Dir::remove(&mut dir, name))?;
                Ok(Done::Swept)
            }
        }
    }
}
