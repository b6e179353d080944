//! `mini-broker serve`

use super::Failure;

#[derive(clap::Args)]
pub struct Args {}

pub async fn run(_args: Args) -> Result<(), Failure> {
    Err(Failure::new("not built yet"))
}
