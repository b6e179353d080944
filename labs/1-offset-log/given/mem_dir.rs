//! A directory in memory, which a test can tear, flip bits in, and fill up.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::Dir;

/// A directory in memory. Clones share the files: a test keeps one and gives the log another.
#[derive(Clone, Debug, Default)]
pub struct MemDir {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    files: BTreeMap<String, Vec<u8>>,
    /// Bytes that still fit; `None` is a disk without end.
    space: Option<usize>,
    read: BTreeMap<String, u64>,
}

impl MemDir {
    pub fn new() -> Self {
        Self::default()
    }

    /// A directory that holds these files, and shares them with nobody.
    pub fn holding(files: BTreeMap<String, Vec<u8>>) -> Self {
        MemDir { inner: Arc::new(Mutex::new(Inner { files, ..Inner::default() })) }
    }

    /// A copy of every file.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.lock().files.clone()
    }

    /// A copy of one file; empty if there is none.
    pub fn bytes(&self, file: &str) -> Vec<u8> {
        self.lock().files.get(file).cloned().unwrap_or_default()
    }

    /// Puts a file there as a whole.
    pub fn put(&self, file: &str, bytes: Vec<u8>) {
        self.lock().files.insert(file.to_owned(), bytes);
    }

    /// Loses a file.
    pub fn lose(&self, file: &str) {
        self.lock().files.remove(file);
    }

    /// What a kill in the middle of a write leaves: only the first `len` bytes of a file.
    pub fn tear(&self, file: &str, len: u64) {
        if let Some(bytes) = self.lock().files.get_mut(file) {
            bytes.truncate(len as usize);
        }
    }

    /// What a worn disk does: turns the bits of `mask` in one byte.
    pub fn flip(&self, file: &str, position: u64, mask: u8) {
        if let Some(byte) =
            self.lock().files.get_mut(file).and_then(|bytes| bytes.get_mut(position as usize))
        {
            *byte ^= mask;
        }
    }

    /// From now on `space` more bytes fit; `None` lifts the limit.
    pub fn set_space(&self, space: Option<usize>) {
        self.lock().space = space;
    }

    /// How many bytes of a file were read so far.
    pub fn bytes_read(&self, file: &str) -> u64 {
        self.lock().read.get(file).copied().unwrap_or(0)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Dir for MemDir {
    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        let inner = self.lock();
        Ok(inner.files.iter().map(|(name, bytes)| (name.clone(), bytes.len() as u64)).collect())
    }

    fn read_at(&self, file: &str, position: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut inner = self.lock();
        let bytes = inner.files.get(file).map_or(&[][..], Vec::as_slice);
        let rest = &bytes[bytes.len().min(position as usize)..];
        let n = rest.len().min(into.len());
        into[..n].copy_from_slice(&rest[..n]);
        *inner.read.entry(file.to_owned()).or_default() += n as u64;
        Ok(n)
    }

    fn append(&mut self, file: &str, bytes: &[u8]) -> io::Result<()> {
        let mut inner = self.lock();
        if let Some(space) = inner.space {
            let left = space.checked_sub(bytes.len()).ok_or_else(|| {
                let text = format!("{file}: no space left for {} bytes", bytes.len());
                io::Error::new(io::ErrorKind::StorageFull, text)
            })?;
            inner.space = Some(left);
        }
        inner.files.entry(file.to_owned()).or_default().extend_from_slice(bytes);
        Ok(())
    }

    fn truncate(&mut self, file: &str, len: u64) -> io::Result<()> {
        if let Some(bytes) = self.lock().files.get_mut(file) {
            bytes.resize(len as usize, 0);
        }
        Ok(())
    }

    fn remove(&mut self, file: &str) -> io::Result<()> {
        self.lock().files.remove(file);
        Ok(())
    }
}
