//! step_4 caught by step_4: the oldest counts (R5.17)
if unread_ms.is_empty() {
    return Some(0);
}
let times = unread_ms.iter().filter_map(|&time| u64::try_from(time).ok());
Some(now_ms.saturating_sub(times.max()?))
