//! A disk in memory, and what a kill leaves of it.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use mini_broker::broker::{Files, Located};
use mini_broker::coordinator::METADATA_DIR;
use mini_broker::labs::offset_log;
use wire::{Records, Response};

use crate::mortal::Life;

/// A disk that lives as long as a test: clones share it, so a broker can start on it again.
#[derive(Clone, Default)]
pub struct MemFiles {
    pub dirs: Arc<Mutex<BTreeMap<String, offset_log::MemDir>>>,
    pub metadata: offset_log_solution::MemDir,
    pub texts: Arc<Mutex<BTreeMap<String, String>>>,
    /// What `dir` gives instead, if a test wants another kind of directory.
    pub instead: Option<fn(offset_log::MemDir) -> Box<dyn offset_log::Dir>>,
    /// How long the partitions' directories live.
    pub life: Life,
    /// How often the machine has started again.
    pub boots: u32,
    /// How often a broker has: no two starts draw the same ids.
    pub starts: Arc<AtomicU64>,
}

impl MemFiles {
    pub fn log_bytes(&self, dir: &str) -> u64 {
        let files = self.dir_of(dir).files();
        let logs = files.iter().filter(|(name, _)| name.ends_with(".log"));
        logs.map(|(_, bytes)| bytes.len() as u64).sum()
    }

    /// The disk as it is now: what a kill at this moment leaves.
    pub fn copy(&self) -> Self {
        let dirs = self.dirs.lock().unwrap();
        let dirs =
            dirs.iter().map(|(name, dir)| (name.clone(), offset_log::MemDir::holding(dir.files())));
        Self {
            dirs: Arc::new(Mutex::new(dirs.collect())),
            metadata: offset_log_solution::MemDir::holding(self.metadata.files()),
            texts: Arc::new(Mutex::new(self.texts.lock().unwrap().clone())),
            instead: self.instead,
            life: Life::default(),
            boots: self.boots,
            starts: Arc::clone(&self.starts),
        }
    }

    /// A fetch's answer with its records in place, as it arrives elsewhere.
    pub fn with_records(&self, mut body: Response, slices: &[Located]) -> Response {
        if let Response::Fetch(fetched) = &mut body {
            for data in fetched.responses.iter_mut().flat_map(|topic| &mut topic.partitions) {
                if let Records::There { slot, .. } = data.records {
                    let slice = &slices[slot as usize];
                    let mut bytes = vec![0; slice.len as usize];
                    self.read_at(slice, &mut bytes).unwrap();
                    data.records = Records::Here((&bytes[..]).into());
                }
            }
        }
        body
    }

    pub fn dir_of(&self, name: &str) -> offset_log::MemDir {
        self.dirs.lock().unwrap().entry(name.into()).or_default().clone()
    }
}

impl Files for MemFiles {
    fn dir(&mut self, name: &str) -> io::Result<Box<dyn offset_log::Dir>> {
        let dir = self.mortal(name);
        Ok(match self.instead {
            Some(instead) => instead(dir.dir),
            None => Box::new(dir),
        })
    }

    fn metadata_dir(&mut self, _: &str) -> io::Result<Box<dyn offset_log_solution::Dir>> {
        Ok(Box::new(self.metadata.clone()))
    }

    fn read_at(&self, located: &Located, into: &mut [u8]) -> io::Result<usize> {
        let file = format!("{:020}.log", located.segment);
        if located.dir.starts_with("__cluster_metadata") {
            return offset_log_solution::Dir::read_at(
                &self.metadata,
                &file,
                located.position,
                into,
            );
        }
        let dir = self.dir_of(&located.dir);
        offset_log::Dir::read_at(&dir, &file, located.position, into)
    }

    fn dirs(&self) -> io::Result<Vec<String>> {
        let dirs = self.dirs.lock().unwrap();
        Ok(dirs.iter().filter(|(_, dir)| !dir.files().is_empty()).map(|(n, _)| n.clone()).collect())
    }

    fn rename(&mut self, dir: &str, from: &str, to: &str) -> io::Result<()> {
        let dir = self.dir_of(dir);
        let mut files = dir.files();
        let bytes = files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        self.life.spend()?;
        dir.lose(from);
        dir.put(to, bytes);
        Ok(())
    }

    fn set_aside(&mut self, name: &str, ending: &str) -> io::Result<String> {
        let mut dirs = self.dirs.lock().unwrap();
        let dir = dirs.remove(name).unwrap();
        let aside = format!("{name}.0{ending}");
        dirs.insert(aside.clone(), dir);
        Ok(aside)
    }

    fn checkpoint(&mut self, name: &str, text: &str) -> io::Result<()> {
        // What a start writes is none of a partition's files.
        if !["meta.properties", "broker-epoch-checkpoint"].contains(&name) {
            self.life.spend()?;
        }
        self.texts.lock().unwrap().insert(name.into(), text.into());
        Ok(())
    }

    fn text(&self, name: &str) -> io::Result<Option<String>> {
        if let Some((dir, file)) = name.split_once('/') {
            let bytes = self.dir_of(dir).files().remove(file);
            return Ok(bytes.map(|bytes| String::from_utf8(bytes).unwrap()));
        }
        Ok(self.texts.lock().unwrap().get(name).cloned())
    }

    fn names(&self, dir: &str) -> io::Result<Vec<String>> {
        assert_eq!(dir, METADATA_DIR);
        Ok(self.metadata.files().into_keys().collect())
    }

    fn bytes(&self, name: &str) -> io::Result<Vec<u8>> {
        let (dir, file) = name.split_once('/').unwrap();
        assert_eq!(dir, METADATA_DIR);
        self.metadata.files().remove(file).ok_or(io::ErrorKind::NotFound.into())
    }

    fn boot_id(&self) -> io::Result<String> {
        Ok(format!("boot {}", self.boots))
    }

    fn sync(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }
}
