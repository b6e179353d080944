//! A partition's directory, as a pass of compaction needs it: its own handles, so that it is in
//! nobody's way. It reads what nobody writes to, and writes what nobody reads.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use crate::broker::compact::Folder;

pub struct RealFolder {
    path: PathBuf,
    /// The file that is being read, and the one that is being written.
    read: Option<(String, File)>,
    written: Option<(String, File)>,
}

impl RealFolder {
    pub fn new(path: PathBuf) -> Self {
        Self { path, read: None, written: None }
    }

    /// The names of its files to the disk.
    pub fn sync_names(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }

    /// The handle that is there, or another one in its place.
    fn open<'a>(
        open: &'a mut Option<(String, File)>,
        name: &str,
        new: impl FnOnce() -> io::Result<File>,
    ) -> io::Result<&'a mut File> {
        if open.as_ref().is_none_or(|(known, _)| known != name) {
            *open = Some((name.into(), new()?));
        }
        Ok(&mut open.as_mut().expect("just opened").1)
    }

    fn writing(&mut self, name: &str) -> io::Result<&mut File> {
        let path = self.path.join(name);
        Self::open(&mut self.written, name, || File::options().append(true).open(path))
    }
}

impl Folder for RealFolder {
    fn read_at(&mut self, name: &str, position: u64, into: &mut [u8]) -> io::Result<usize> {
        let path = self.path.join(name);
        let file = Self::open(&mut self.read, name, || File::open(path))?;
        let mut read = 0;
        while read < into.len() {
            match file.read_at(&mut into[read..], position + read as u64) {
                Ok(0) => break,
                Ok(more) => read += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(read)
    }

    fn create(&mut self, name: &str) -> io::Result<()> {
        self.written = Some((name.into(), File::create(self.path.join(name))?));
        Ok(())
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.writing(name)?.write_all(bytes)
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        self.writing(name)?.sync_data()?;
        self.written = None;
        Ok(())
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.written = None;
        fs::remove_file(self.path.join(name))
    }
}
