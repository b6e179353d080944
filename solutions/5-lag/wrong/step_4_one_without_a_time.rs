//! step_4 caught by step_4: those that have a time count (R5.18)
if unread_ms.contains(&-1) {
    return None;
}
let times = unread_ms.iter().filter_map(|&time| u64::try_from(time).ok());
Some(times.min().map_or(0, |oldest| now_ms.saturating_sub(oldest)))
