//! Notices a save by looking at the times of the few files a learner edits.
//!
//! Looking works the same on every system, on network disks and with editors that write a new file over the old one.

use std::path::PathBuf;
use std::time::SystemTime;

use crate::kit::{Kit, rust_files};

pub struct Watch {
    /// Of each lab: its folder, and what its files looked like.
    labs: Vec<(PathBuf, Vec<Seen>)>,
}

type Seen = (PathBuf, Option<SystemTime>, u64);

impl Watch {
    pub fn new(kit: &Kit) -> Self {
        let folders = kit.labs.iter().map(|lab| kit.path(&lab.folder()));
        Self {
            labs: folders
                .map(|folder| {
                    let seen = look(&folder);
                    (folder, seen)
                })
                .collect(),
        }
    }

    /// The labs with a file that is not what it was.
    pub fn changed(&mut self) -> Vec<usize> {
        let mut changed = Vec::new();
        for (at, (folder, seen)) in self.labs.iter_mut().enumerate() {
            let now = look(folder);
            if now != *seen {
                *seen = now;
                changed.push(at);
            }
        }
        changed
    }
}

fn look(folder: &std::path::Path) -> Vec<Seen> {
    let source = folder.join("src");
    let mut files: Vec<PathBuf> =
        rust_files(&source).into_iter().map(|name| source.join(name)).collect();
    files.push(folder.join("predict.toml"));
    files
        .into_iter()
        .filter_map(|file| {
            let about = std::fs::metadata(&file).ok()?;
            Some((file, about.modified().ok(), about.len()))
        })
        .collect()
}
