//! `produce`: lines become messages, and the learner's lab 2 may decide which partition gets each.

use super::organs::{Ready, banner};
use crate::failure::Result;
use crate::kit::Kit;
use crate::paint;

pub fn produce(kit: &Kit, mine: &[String], args: &[String]) -> Result<u8> {
    let ready = Ready::build(kit, mine)?;
    paint::print(&banner(kit, &ready.mine));
    let mut all = vec!["produce".to_owned()];
    all.extend(args.iter().cloned());
    ready.start(&all, kit)
}
