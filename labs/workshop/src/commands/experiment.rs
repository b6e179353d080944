//! `experiment`: something to watch through a real broker, with the learner's labs where `--mine` puts
//! them, and beside it what the learner had predicted.

use super::organs::{Ready, banner};
use crate::failure::{Result, write};
use crate::kit::Kit;
use crate::paint;

pub fn experiment(kit: &Kit, name: &str, mine: &[String], args: &[String]) -> Result<u8> {
    let ready = Ready::build(kit, mine)?;
    paint::print(&banner(kit, &ready.mine));
    let mut all = vec!["experiment".to_owned(), name.to_owned()];
    if !args.iter().any(|arg| arg == "--picture" || arg.starts_with("--picture=")) {
        // Beside the reader's own builds, where nothing is kept for long.
        let picture = kit.scratch(&format!("{name}.svg"));
        write(&picture, "")?;
        let shown = picture.strip_prefix(&kit.root).unwrap_or(&picture);
        all.extend(["--picture".to_owned(), shown.display().to_string()]);
    }
    all.extend(said(kit));
    all.extend(args.iter().cloned());
    ready.start(&all, kit)
}

/// Every prediction that has an answer. An experiment shows those it asked for.
fn said(kit: &Kit) -> Vec<String> {
    let answered = kit.labs.iter().flat_map(|lab| &lab.predictions).filter(|p| p.is_answered());
    answered.flat_map(|p| ["--said".to_owned(), format!("{}={}", p.id, p.answer)]).collect()
}
