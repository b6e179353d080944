//! The one way to the disk: a directory of files that grow at the end.
//!
//! The log knows no path and opens no file. So a test can hand it a disk that is full or that
//! loses bytes (`MemDir`), and the broker one that keeps its handles elsewhere.

use std::cell::RefCell;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

/// A directory. A file that is not there is an empty one, but for `list`.
pub trait Dir: Send {
    /// Every file's name and length, in any order.
    fn list(&self) -> io::Result<Vec<(String, u64)>>;
    /// Reads bytes from `position` on; fewer than asked for only at the end of the file.
    fn read_at(&self, file: &str, position: u64, into: &mut [u8]) -> io::Result<usize>;
    /// Adds all of `bytes` at the end, or leaves the file as it was. Makes the file if need be,
    /// even for no bytes.
    fn append(&mut self, file: &str, bytes: &[u8]) -> io::Result<()>;
    /// Cuts the file to its first `len` bytes.
    fn truncate(&mut self, file: &str, len: u64) -> io::Result<()>;
    fn remove(&mut self, file: &str) -> io::Result<()>;
}

/// A directory of the file system, made at the first append. It keeps the files that it used last
/// open.
pub struct FsDir {
    path: PathBuf,
    open: RefCell<Vec<Handle>>,
}

struct Handle {
    name: String,
    file: File,
    len: u64,
}

/// Three files a segment: the active one, and a few that are being read.
const MOST_OPEN: usize = 24;

impl FsDir {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        FsDir { path: path.into(), open: RefCell::default() }
    }

    /// Runs `work` on an open file, and says the file's name if that fails.
    fn with<T>(
        &self,
        name: &str,
        create: bool,
        work: impl FnOnce(&mut Handle) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut open = self.open.borrow_mut();
        let at = match open.iter().position(|handle| handle.name == name) {
            Some(at) => at,
            None => {
                let handle = self.handle(name, create).map_err(|e| self.named(name, e))?;
                if open.len() == MOST_OPEN {
                    open.remove(0);
                }
                open.push(handle);
                open.len() - 1
            }
        };
        work(&mut open[at]).map_err(|e| self.named(name, e))
    }

    fn handle(&self, name: &str, create: bool) -> io::Result<Handle> {
        if create {
            fs::create_dir_all(&self.path)?;
        }
        let path = self.path.join(name);
        let file = OpenOptions::new().read(true).append(true).create(create).open(path)?;
        let len = file.metadata()?.len();
        Ok(Handle { name: name.to_owned(), file, len })
    }

    fn named(&self, name: &str, error: io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("{}: {error}", self.path.join(name).display()))
    }
}

impl Dir for FsDir {
    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        let entries = match fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.named("", error)),
        };
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry?;
            let about = entry.metadata()?;
            if about.is_file() {
                files.push((entry.file_name().to_string_lossy().into_owned(), about.len()));
            }
        }
        Ok(files)
    }

    fn read_at(&self, file: &str, position: u64, into: &mut [u8]) -> io::Result<usize> {
        let read = self.with(file, false, |handle| {
            let mut done = 0;
            while done < into.len() {
                match read_some(&handle.file, position + done as u64, &mut into[done..]) {
                    Ok(0) => break,
                    Ok(n) => done += n,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(done)
        });
        missing_is(0, read)
    }

    fn append(&mut self, file: &str, bytes: &[u8]) -> io::Result<()> {
        self.with(file, true, |handle| match handle.file.write_all(bytes) {
            Ok(()) => {
                handle.len += bytes.len() as u64;
                Ok(())
            }
            Err(error) => {
                handle.file.set_len(handle.len)?;
                Err(error)
            }
        })
    }

    fn truncate(&mut self, file: &str, len: u64) -> io::Result<()> {
        let cut = self.with(file, false, |handle| {
            handle.file.set_len(len)?;
            handle.len = len;
            Ok(())
        });
        if len == 0 { missing_is((), cut) } else { cut }
    }

    fn remove(&mut self, file: &str) -> io::Result<()> {
        self.open.borrow_mut().retain(|handle| handle.name != file);
        missing_is((), fs::remove_file(self.path.join(file)).map_err(|e| self.named(file, e)))
    }
}

fn missing_is<T>(value: T, result: io::Result<T>) -> io::Result<T> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(value),
        other => other,
    }
}

#[cfg(unix)]
fn read_some(file: &File, position: u64, into: &mut [u8]) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, into, position)
}

#[cfg(not(unix))]
fn read_some(mut file: &File, position: u64, into: &mut [u8]) -> io::Result<usize> {
    use std::io::{Read, Seek, SeekFrom};
    file.seek(SeekFrom::Start(position))?;
    file.read(into)
}
