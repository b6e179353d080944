//! What ends a command early: a sentence for the reader and an exit code for a script.

use std::path::Path;

/// Exit code of a command that could not do what was asked.
pub const COULD_NOT: u8 = 2;
/// Exit code of a command that ran, and found something unfinished or wrong.
pub const NOT_DONE: u8 = 1;

#[derive(Debug)]
pub struct Failure {
    pub code: u8,
    pub text: String,
}

pub type Result<T> = std::result::Result<T, Failure>;

/// "I could not", with the reason as a whole sentence.
pub fn could_not<T>(text: impl Into<String>) -> Result<T> {
    Err(Failure { code: COULD_NOT, text: text.into() })
}

/// The text of a file with `\n` at the end of each line, whatever the checkout made of it.
pub fn read(path: &Path) -> Result<String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text.replace("\r\n", "\n")),
        Err(why) => could_not(format!("Cannot read {}: {why}.", path.display())),
    }
}

/// The same, and nothing where there is no such file.
pub fn read_or_empty(path: &Path) -> String {
    read(path).unwrap_or_default()
}

pub fn write(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(path, text));
    match written {
        Ok(()) => Ok(()),
        Err(why) => could_not(format!("Cannot write {}: {why}.", path.display())),
    }
}
