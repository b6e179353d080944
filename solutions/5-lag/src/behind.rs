//! Lag in time: how old is the oldest record that nobody has read?

/// How late the group is, in milliseconds: the age of its oldest unread record.
///
/// `unread_ms` are the timestamps of the oldest unread record of each partition that has one. A record without a
/// time has −1, and does not count. Clocks differ, so a time may lie in the future: its age is 0. If nothing is unread
/// the group is 0 ms late. `None` if something is unread and none of it has a time.
pub fn behind_ms(now_ms: u64, unread_ms: &[i64]) -> Option<u64> {
    // STARTER: todo!("step 4: at {now_ms}, how old is the oldest of {unread_ms:?}")
    // ANCHOR: step_4
    if unread_ms.is_empty() {
        return Some(0);
    }
    let times = unread_ms.iter().filter_map(|&time| u64::try_from(time).ok());
    let oldest = times.min()?;
    Some(now_ms.saturating_sub(oldest))
    // ANCHOR_END: step_4
}
