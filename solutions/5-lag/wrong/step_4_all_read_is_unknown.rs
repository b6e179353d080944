//! step_4 caught by step_4: if all is read it is 0 ms late (R5.17)
let times = unread_ms.iter().filter_map(|&time| u64::try_from(time).ok());
Some(now_ms.saturating_sub(times.min()?))
