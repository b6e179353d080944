//! The runner against a made-up kit (`tests/fixture`). Only the tests of `whole.rs`, which are asked for by
//! `cargo test -p workshop -- --ignored`, run cargo.
#![allow(clippy::disallowed_methods, reason = "tests of a program that has a clock and threads")]

mod files;
mod output;
mod screens;
mod whole;

use std::path::{Path, PathBuf};

use workshop::kit::Kit;

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixture")
}

/// The made-up kit, read-only.
fn kit() -> Kit {
    Kit::at(&fixture(), PathBuf::from("/nowhere"))
}

/// A copy of it that a test may write to.
fn copied() -> (tempfile::TempDir, Kit) {
    let folder = tempfile::tempdir().unwrap();
    copy(&fixture(), folder.path());
    let kit = Kit::at(folder.path(), folder.path().join("target"));
    (folder, kit)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn text(lines: &[workshop::paint::Line]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| line.text().trim_end().to_owned()).collect();
    lines.join("\n")
}
