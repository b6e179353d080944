//! The checkout: where it stands, where cargo builds, and which labs it holds.
//!
//! A lab is a folder `labs/<number>-<name>`; nothing here knows any of them by name.

use std::path::{Path, PathBuf};

use crate::failure::{Result, could_not, read_or_empty};
use crate::lab::Lab;
use crate::starter;

pub struct Kit {
    pub root: PathBuf,
    /// Where cargo builds, and where the runner keeps what may be lost.
    pub target: PathBuf,
    pub labs: Vec<Lab>,
}

/// A line of a file, written as compilers and editors write it. The path is relative to the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub file: String,
    pub line: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl Kit {
    /// Finds the checkout from the current folder upwards.
    pub fn find() -> Result<Self> {
        let here = std::env::current_dir().unwrap_or_default();
        let Some(root) = here.ancestors().find(|folder| is_root(folder)) else {
            return could_not(format!(
                "{} is not inside the workshop. Change into the folder you cloned, then ask again.",
                here.display()
            ));
        };
        let exe = std::env::current_exe().unwrap_or_default();
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => here.join(folder),
            None => target_of(&exe).unwrap_or_else(|| root.join("target")),
        };
        Ok(Self::at(root, target))
    }

    pub fn at(root: &Path, target: PathBuf) -> Self {
        let mut labs: Vec<Lab> = folders(&root.join("labs"))
            .into_iter()
            .filter_map(|folder| {
                let (number, name) = folder.split_once('-')?;
                Some(Lab::read(root, number.parse().ok()?, name))
            })
            .collect();
        labs.sort_by_key(|lab| lab.number);
        Self { root: root.to_owned(), target, labs }
    }

    /// The lab that a reader means by `offset-log`, `1`, `1-offset-log` or `labs/1-offset-log/`.
    pub fn lab(&self, asked: &str) -> Result<&Lab> {
        let word = asked.trim_end_matches(['/', '\\']);
        let word = word.rsplit(['/', '\\']).next().unwrap_or(word);
        let found = self.labs.iter().find(|lab| {
            word == lab.name
                || word == lab.number.to_string()
                || word == format!("{}-{}", lab.number, lab.name)
                || word == lab.name.replace('-', "_")
        });
        match found {
            Some(lab) => Ok(lab),
            None => could_not(format!("There is no lab \"{asked}\". {}", self.labs_in_words())),
        }
    }

    pub fn some_lab(&self) -> Result<&Lab> {
        match self.labs.first() {
            Some(lab) => Ok(lab),
            None => could_not("This checkout has no labs: the folder labs/ holds none."),
        }
    }

    /// The lab that was asked for, or all of them.
    pub fn chosen(&self, asked: Option<&str>) -> Result<Vec<&Lab>> {
        if let Some(asked) = asked {
            return Ok(vec![self.lab(asked)?]);
        }
        self.some_lab()?;
        Ok(self.labs.iter().collect())
    }

    fn labs_in_words(&self) -> String {
        match &self.labs[..] {
            [] => "This checkout has none.".to_owned(),
            [lab] => format!("There is one: {} (or 1).", lab.name),
            labs => {
                let names: Vec<&str> = labs.iter().map(|lab| lab.name.as_str()).collect();
                format!("There are: {}.", names.join(", "))
            }
        }
    }

    /// A file of the runner's own, which may be deleted at any time.
    pub fn scratch(&self, name: &str) -> PathBuf {
        self.target.join("workshop").join(name)
    }

    /// Where broker and book are built: beside the reader's own builds, so that a grade never waits for their lock.
    pub fn behind(&self) -> PathBuf {
        self.target.join("behind")
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// The learner's source files of a lab: their paths from the root, and their texts.
    pub fn sources(&self, lab: &Lab) -> Vec<(String, String)> {
        let folder = format!("{}/src", lab.folder());
        rust_files(&self.path(&folder))
            .into_iter()
            .map(|name| {
                let path = format!("{folder}/{name}");
                let text = read_or_empty(&self.path(&path));
                (path, text)
            })
            .collect()
    }

    /// Where the `todo!` of a step still stands.
    pub fn todo(&self, lab: &Lab, step: u32) -> Option<Place> {
        self.sources(lab).into_iter().find_map(|(file, text)| {
            let line = starter::todo_line(&text, step)?;
            Some(Place { file, line })
        })
    }

    /// Where the work of a step is done: its `todo!`, the function it stood in, or the file the README names.
    pub fn place(&self, lab: &Lab, step: u32) -> Place {
        if let Some(place) = self.todo(lab, step) {
            return place;
        }
        let solutions = self.path(&format!("{}/src", lab.solution_folder()));
        for name in rust_files(&solutions) {
            let solution = read_or_empty(&solutions.join(&name));
            let file = format!("{}/src/{name}", lab.folder());
            let Some(function) = starter::function_of(&solution, step) else { continue };
            let line = crate::source::function_line(&read_or_empty(&self.path(&file)), &function);
            if let Some(line) = line {
                return Place { file, line };
            }
        }
        let named = lab.steps.iter().find(|s| s.number == step).map(|s| s.file.as_str());
        Place { file: format!("{}/{}", lab.folder(), named.unwrap_or("src/lib.rs")), line: 1 }
    }
}

fn is_root(folder: &Path) -> bool {
    folder.join("Cargo.toml").is_file() && folder.join("labs/workshop/Cargo.toml").is_file()
}

/// `…/target/debug/workshop` → `…/target`.
fn target_of(exe: &Path) -> Option<PathBuf> {
    let target = exe.parent()?.parent()?;
    target.join("CACHEDIR.TAG").is_file().then(|| target.to_owned())
}

fn folders(path: &Path) -> Vec<String> {
    names(path, |entry| entry.path().is_dir())
}

/// The names of the Rust files directly in a folder, in order.
pub fn rust_files(path: &Path) -> Vec<String> {
    names(path, |entry| {
        entry.path().is_file() && entry.path().extension().is_some_and(|e| e == "rs")
    })
}

fn names(path: &Path, wanted: impl Fn(&std::fs::DirEntry) -> bool) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(path) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .flatten()
        .filter(wanted)
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}
