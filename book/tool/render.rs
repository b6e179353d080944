//! From Markdown to HTML: a thin cover over mdBook that fails where mdBook only logs.

use std::path::{Path, PathBuf};

use mdbook_driver::MDBook;
use mdbook_driver::book::BookItem;

use crate::{Result, source};

/// The workspace: pages include files of the labs.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the book lives in the workspace")
}

/// The folder with `book.toml`. Git ignores the `book` in it, where a built book stands by default.
pub fn book() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder with the pages.
pub fn pages() -> PathBuf {
    book().join("src")
}

/// Writes the whole book to `dest`, which need not exist.
///
/// An inclusion that finds nothing is an error here: mdBook would leave its text in the page.
pub fn build(dest: &Path) -> Result<()> {
    let (sources, problems) = source::read_all(&pages())?;
    if !problems.is_empty() {
        return Err(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n").into());
    }
    let mut book = MDBook::load(book())?;
    book.config.build.build_dir = std::path::absolute(dest)?;
    book.book.for_each_mut(|item| {
        let BookItem::Chapter(chapter) = item else { return };
        let path = chapter.source_path.as_ref().map(|path| pages().join(path));
        if let Some(page) = sources.iter().find(|page| Some(&page.path) == path.as_ref()) {
            chapter.content = page.text();
        }
    });
    book.build()?;
    Ok(())
}
