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

/// Every lab or one, and the next thing to do. A lab that nobody has begun is not compiled for it.
pub fn status(kit: &Kit, asked: Option<&str>) -> Result<u8> {
    let grades: Vec<Grade> = kit.chosen(asked)?.into_iter().map(|lab| graded(kit, lab)).collect();
    paint::print(&report::whole(&grades, width()));
    Ok(0)
}

/// Runs the tests of one lab or of all.
pub fn grade(kit: &Kit, lab: Option<&str>, format: Format) -> Result<u8> {
    let stop = Stop::default();
    let labs = kit.chosen(lab)?.into_iter();
    let grades: Vec<Grade> = labs.map(|lab| Grade::ran(kit, lab, &stop)).collect();
    match format {
        Format::Json => paint::say(&machine::json(&grades)),
        Format::Junit => paint::say(&machine::junit(&grades)),
        Format::Text => paint::print(&report::whole(&grades, width())),
    }
    Ok(if grades.iter().all(Grade::is_done) { 0 } else { NOT_DONE })
}
