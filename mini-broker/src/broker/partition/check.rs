//! What a batch must be for its topic, and whose time it carries.

use wire::ErrorCode;

use super::Partition;
use crate::broker::{Now, Refused};
use crate::records::header::{Header, NO_TIMESTAMP, stamp};

impl Partition {
    /// Refuses what the topic does not take, and sees to it that the batch says whose time it carries.
    /// Where that is the broker's, it is written into the batch, and given back, in `wall_ms`. Gives what the
    /// batch says of itself, too. (Kafka:
    /// `LogValidator`.)
    pub(super) fn check_batch(
        &self,
        now: Now,
        batch: &mut [u8],
    ) -> Result<(Header, Option<u64>), Refused> {
        let most = self.settings.max_message_bytes;
        if batch.len() > most {
            return Err(Refused::new(
                ErrorCode::MESSAGE_TOO_LARGE,
                format!("a batch of {} bytes; {} takes at most {most}", batch.len(), self.topic),
            ));
        }
        let header = Header::read(batch)
            .map_err(|error| Refused::new(ErrorCode::CORRUPT_MESSAGE, error.to_string()))?;
        if self.settings.log_append_time {
            if header.is_log_append_time() {
                return Err(claims_to_know());
            }
            stamp(batch, Some(now.wall_ms as i64));
            let max_timestamp = now.wall_ms as i64;
            return Ok((Header { max_timestamp, ..header }, Some(now.wall_ms)));
        }
        self.check_times(now, &header)?;
        if header.is_log_append_time() {
            // The producer cannot know it; what it says is taken for its own time.
            stamp(batch, None);
        }
        Ok((header, None))
    }

    /// A record from the future would keep its segment from ever growing old (KIP-937). The header
    /// knows the time of the first record and the newest of all: of those between, nothing is known
    /// without a look inside.
    fn check_times(&self, now: Now, header: &Header) -> Result<(), Refused> {
        let now_ms = now.wall_ms as i64;
        let earliest = now_ms.saturating_sub(self.settings.timestamp_before_max_ms);
        let latest = now_ms.saturating_add(self.settings.timestamp_after_max_ms);
        let times = match header.is_log_append_time() {
            true if header.max_timestamp == NO_TIMESTAMP => return Err(claims_to_know()),
            true => [header.max_timestamp; 2],
            false => [header.base_timestamp, header.max_timestamp],
        };
        let carried = times.into_iter().filter(|time| *time != NO_TIMESTAMP);
        match carried.into_iter().find(|time| !(earliest..=latest).contains(time)) {
            None => Ok(()),
            Some(time) => Err(Refused::new(
                ErrorCode::INVALID_TIMESTAMP,
                format!(
                    "Timestamp {time} is out of range. The timestamp should be within [{earliest}, \
                     {latest}]"
                ),
            )),
        }
    }
}

fn claims_to_know() -> Refused {
    let why = "Producer should not set timestamp type to LogAppendTime.";
    Refused::new(ErrorCode::INVALID_TIMESTAMP, why)
}
