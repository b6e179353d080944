//! step_2 caught by step_2: is range (R4.4)
for (topic, count) in partitions {
    let readers = readers(subscribed, topic);
    for partition in (0..*count).filter(|_| !readers.is_empty()) {
        let each = (*count as usize).div_ceil(readers.len());
        give(&mut plan, readers[partition as usize / each], topic, partition);
    }
}
plan
