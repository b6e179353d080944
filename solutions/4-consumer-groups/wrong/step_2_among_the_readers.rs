//! step_2 caught by step_2: counts the turns of each topic among its readers (R4.4)
let mut turn = 0;
for (topic, count) in partitions {
    let readers = readers(subscribed, topic);
    if readers.is_empty() {
        continue;
    }
    for partition in 0..*count {
        give(&mut plan, readers[turn % readers.len()], topic, partition);
        turn += 1;
    }
}
plan
