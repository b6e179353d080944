//! step_4 caught by step_4: if no unread record has a time nobody knows (R5.18)
let times = unread_ms.iter().filter_map(|&time| u64::try_from(time).ok());
Some(times.min().map_or(0, |oldest| now_ms.saturating_sub(oldest)))
