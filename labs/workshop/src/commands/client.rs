//! `produce`, `consume` and `lag`: a client of the kit's with the learner's labs inside. Lab 2 decides which partition
//! gets each message, lab 4 who reads what when this consumer leads its group, and lab 5 what to make of a lag.

use super::organs::{Ready, banner};
use crate::failure::Result;
use crate::kit::Kit;
use crate::paint;

pub fn client(kit: &Kit, command: &str, mine: &[String], args: &[String]) -> Result<u8> {
    let ready = Ready::build(kit, mine)?;
    paint::print(&banner(kit, &ready.mine));
    let mut all = vec![command.to_owned()];
    all.extend(args.iter().cloned());
    ready.start(&all, kit)
}
