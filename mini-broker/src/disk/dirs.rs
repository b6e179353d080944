//! One partition's directory, as the organs see it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::table::Table;

/// A directory of the data directory; its files are opened when touched.
pub struct RealDir {
    root: PathBuf,
    name: String,
    table: Arc<Mutex<Table>>,
}

impl RealDir {
    pub(super) fn new(root: &Path, name: &str, table: Arc<Mutex<Table>>) -> Self {
        Self { root: root.to_path_buf(), name: name.into(), table }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RealDir {
    fn drop(&mut self) {
        self.table().close(&self.name);
    }
}

/// The trait exists once in the solution and once in the learner's lab: same words, two types.
macro_rules! impl_dir {
    ($dir:path) => {
        impl $dir for RealDir {
            fn list(&self) -> io::Result<Vec<(String, u64)>> {
                self.table().list(&self.root, &self.name)
            }

            fn read_at(&self, file: &str, position: u64, into: &mut [u8]) -> io::Result<usize> {
                self.table().read_at(&self.root, &self.name, file, position, into)
            }

            fn append(&mut self, file: &str, bytes: &[u8]) -> io::Result<()> {
                self.table().append(&self.root, &self.name, file, bytes)
            }

            fn truncate(&mut self, file: &str, len: u64) -> io::Result<()> {
                self.table().truncate(&self.root, &self.name, file, len)
            }

            fn remove(&mut self, file: &str) -> io::Result<()> {
                self.table().remove(&self.root, &self.name, file)
            }
        }
    };
}

impl_dir!(offset_log_solution::Dir);
#[cfg(feature = "lab-offset-log")]
impl_dir!(offset_log::Dir);
