//! step_4 caught by step_4: a record without a time does not count (R5.18)
let Some(oldest) = unread_ms.iter().min() else { return Some(0) };
Some(now_ms.saturating_sub((*oldest).max(0) as u64))
