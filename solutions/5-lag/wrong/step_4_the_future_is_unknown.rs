//! step_4 caught by step_4: a record from the future is 0 ms old (R5.19)
if unread_ms.is_empty() {
    return Some(0);
}
let times = unread_ms.iter().filter_map(|&time| u64::try_from(time).ok());
now_ms.checked_sub(times.min()?)
