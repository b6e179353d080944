//! Committed offsets: where whoever takes over goes on, and who may say so.

use crate::{Caller, Error, Group, State};

/// The offset to commit when the record at offset `last` has been read and dealt with: where to go
/// on, not what is done.
pub fn next_offset(last: u64) -> u64 {
    todo!("step 6: what to commit after the record at {last}")
}

impl Group {
    /// Whether somebody may commit offsets for this group. (Kafka:
    /// `ClassicGroup.validateOffsetCommit`.)
    ///
    /// Without a generation it is a consumer that has chosen its partitions itself, or an
    /// administrator. That is fine as long as the group has no members.
    pub fn may_commit<'a>(
        &self,
        caller: impl Into<Caller<'a>>,
        generation: i32,
    ) -> Result<(), Error> {
        if generation < 0 && self.state == State::Empty {
            return Ok(());
        }
        self.known(caller.into())?;
        let (current, got) = (self.generation, generation);
        let _ = (Error::IllegalGeneration { current, got }, Error::RebalanceInProgress);
        todo!("step 6: may a member of generation {got} commit? {current}, {}", self.state)
    }
}
