//! Lag in time: how old is the oldest record that nobody has read?

/// How late the group is, in milliseconds: the age of its oldest unread record.
///
/// `unread_ms` are the timestamps of the oldest unread record of each partition that has one. A record without a
/// time has −1, and does not count. Clocks differ, so a time may lie in the future: its age is 0. If nothing is unread
/// the group is 0 ms late. `None` if something is unread and none of it has a time.
pub fn behind_ms(now_ms: u64, unread_ms: &[i64]) -> Option<u64> {
    todo!("step 4: at {now_ms}, how old is the oldest of {unread_ms:?}")
}
