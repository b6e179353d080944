//! The oldest records go: because somebody deletes them, or because they were kept long enough.

use wire::ErrorCode;
use wire::delete_records::HIGH_WATERMARK;

use super::{Bounds, Partition, Turn};
use crate::broker::{Event, Output, Refused};
use crate::labs::offset_log;

impl Partition {
    /// Deletes the records below an offset, and gives that offset: the log starts there now, or later. That
    /// the next start knows it as well is the caller's to see to: see [`Self::deleted_before`].
    pub fn delete_records(&mut self, turn: &mut Turn, before: i64) -> Result<u64, Refused> {
        self.check_leads()?;
        if !self.settings.delete {
            return Err(Refused::new(
                ErrorCode::POLICY_VIOLATION,
                format!("{} keeps its records: its cleanup.policy is not delete", self.topic),
            ));
        }
        let Bounds { log_start, high_watermark, .. } = self.bounds(turn)?;
        let wanted = match before {
            HIGH_WATERMARK => Some(high_watermark),
            before => u64::try_from(before).ok().filter(|before| *before <= high_watermark),
        };
        let wanted = wanted.ok_or_else(|| {
            let why = format!("the log ends at {high_watermark}, before {before}");
            Refused::new(ErrorCode::OFFSET_OUT_OF_RANGE, why)
        })?;
        if wanted <= log_start {
            return Ok(wanted);
        }
        let (deleted, log_start) =
            self.call(turn, |log| (log.delete_before(wanted), log.log_start()))?;
        // Also when a file could not be removed: it goes later, but nobody reads it any more.
        self.deleted_before = log_start;
        deleted.map_err(|error| self.storage(turn, error.into()))?;
        let partition = self.dir.to_string();
        turn.out.push(Output::Tell(Event::RecordsDeleted { partition, log_start }));
        Ok(wanted)
    }

    /// Whether something was deleted.
    pub(super) fn delete_old(&mut self, turn: &mut Turn, high_watermark: u64) -> bool {
        let now_ms = turn.now.wall_ms;
        let ticked = self.call(turn, |log| {
            let gone = log.tick(now_ms, high_watermark)?;
            Ok::<_, offset_log::Error>((gone.len(), log.log_start()))
        });
        match ticked {
            Ok(Ok((0, _))) | Err(_) => false,
            Ok(Ok((count, log_start))) => {
                if log_start > self.deleted_before {
                    self.deleted_before = 0; // the files say it again
                }
                let partition = self.dir.to_string();
                let event = Event::SegmentsDeleted { partition, count, log_start };
                turn.out.push(Output::Tell(event));
                true
            }
            Ok(Err(error)) => {
                self.storage(turn, error.into());
                false
            }
        }
    }
}
