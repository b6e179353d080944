//! The disk as a node asks for it.

use std::io;

use mini_broker::broker::{Files, Located};
use mini_broker::labs::offset_log;

use crate::disk::Disk;

/// What a node reaches its disk by.
pub struct SimFiles(pub Disk);

struct SimDir {
    disk: Disk,
    name: String,
}

impl Files for SimFiles {
    fn dir(&mut self, name: &str) -> io::Result<Box<dyn offset_log::Dir>> {
        Ok(Box::new(SimDir { disk: self.0.clone(), name: name.into() }))
    }

    fn metadata_dir(&mut self, name: &str) -> io::Result<Box<dyn offset_log_solution::Dir>> {
        Ok(Box::new(SimDir { disk: self.0.clone(), name: name.into() }))
    }

    fn read_at(&self, located: &Located, into: &mut [u8]) -> io::Result<usize> {
        let file = format!("{:020}.log", located.segment);
        Ok(self.0.lock().read_at(&located.dir, &file, located.position, into))
    }

    fn dirs(&self) -> io::Result<Vec<String>> {
        Ok(self.0.lock().dirs.keys().cloned().collect())
    }

    fn rename(&mut self, dir: &str, from: &str, to: &str) -> io::Result<()> {
        self.0.lock().rename(dir, from, to)
    }

    fn set_aside(&mut self, name: &str, ending: &str) -> io::Result<String> {
        self.0.lock().set_aside(name, ending)
    }

    fn checkpoint(&mut self, name: &str, text: &str) -> io::Result<()> {
        let mut state = self.0.lock();
        state.may_write()?;
        if !state.dies() {
            state.texts.insert(name.into(), text.into());
        }
        state.alive()
    }

    fn text(&self, name: &str) -> io::Result<Option<String>> {
        let state = self.0.lock();
        if let Some((dir, file)) = name.split_once('/') {
            let file = state.dirs.get(dir).and_then(|files| files.get(file));
            let text = file.map(|file| String::from_utf8_lossy(&file.bytes).into_owned());
            return Ok(text);
        }
        Ok(state.texts.get(name).cloned())
    }

    fn names(&self, dir: &str) -> io::Result<Vec<String>> {
        Ok(self
            .0
            .lock()
            .dirs
            .get(dir)
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect())
    }

    fn bytes(&self, name: &str) -> io::Result<Vec<u8>> {
        let (dir, file) = name.split_once('/').ok_or(io::ErrorKind::NotFound)?;
        let state = self.0.lock();
        let file = state.dirs.get(dir).and_then(|files| files.get(file));
        Ok(file.ok_or(io::ErrorKind::NotFound)?.bytes.clone())
    }

    fn boot_id(&self) -> io::Result<String> {
        Ok(format!("boot {}", self.0.lock().boot))
    }

    fn sync(&mut self, dir: &str) -> io::Result<()> {
        self.0.lock().sync_now(dir)
    }
}

/// The trait exists once in the solution and once in the learner's lab: same words, two types.
macro_rules! impl_dir {
    ($dir:path) => {
        impl $dir for SimDir {
            fn list(&self) -> io::Result<Vec<(String, u64)>> {
                let state = self.disk.lock();
                let files = state.dirs.get(&self.name).into_iter().flatten();
                Ok(files.map(|(name, file)| (name.clone(), file.bytes.len() as u64)).collect())
            }

            fn read_at(&self, file: &str, position: u64, into: &mut [u8]) -> io::Result<usize> {
                Ok(self.disk.lock().read_at(&self.name, file, position, into))
            }

            fn append(&mut self, file: &str, bytes: &[u8]) -> io::Result<()> {
                self.disk.lock().append(&self.name, file, bytes)
            }

            fn truncate(&mut self, file: &str, len: u64) -> io::Result<()> {
                self.disk.lock().truncate(&self.name, file, len)
            }

            fn remove(&mut self, file: &str) -> io::Result<()> {
                self.disk.lock().remove(&self.name, file)
            }
        }
    };
}

impl_dir!(offset_log_solution::Dir);
#[cfg(feature = "lab-offset-log")]
impl_dir!(::offset_log::Dir);
