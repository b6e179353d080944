//! `status` and `grade`.

use crate::cargo::Stop;
use crate::commands::{graded, width};
use crate::failure::{NOT_DONE, Result};
use crate::grade::Grade;
use crate::kit::Kit;
use crate::{machine, paint, report};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Text,
    Json,
    Junit,
}

/// Every lab, and the next thing to do. A lab that nobody has begun is not compiled for it.
pub fn status(kit: &Kit) -> Result<u8> {
    kit.some_lab()?;
    let grades: Vec<Grade> = kit.labs.iter().map(|lab| graded(kit, lab)).collect();
    paint::print(&report::whole(&grades, width()));
    Ok(0)
}

/// Runs the tests of one lab or of all.
pub fn grade(kit: &Kit, lab: Option<&str>, format: Format) -> Result<u8> {
    let labs = match lab {
        Some(asked) => vec![kit.lab(asked)?],
        None => {
            kit.some_lab()?;
            kit.labs.iter().collect()
        }
    };
    let stop = Stop::default();
    let grades: Vec<Grade> = labs.into_iter().map(|lab| Grade::ran(kit, lab, &stop)).collect();
    match format {
        Format::Json => paint::say(&machine::json(&grades)),
        Format::Junit => paint::say(&machine::junit(&grades)),
        Format::Text => paint::print(&report::whole(&grades, width())),
    }
    Ok(if grades.iter().all(Grade::is_done) { 0 } else { NOT_DONE })
}
