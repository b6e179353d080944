//! step_2 caught by step_2: deals out partition 0 of all topics, then partition 1 (R4.4)
let mut turns = subscribed.keys().cycle();
for partition in 0..partitions.values().copied().max().unwrap_or(0) {
    for (topic, _) in partitions.iter().filter(|(_, count)| partition < **count) {
        if readers(subscribed, topic).is_empty() {
            continue;
        }
        let member = turns.find(|member| subscribed[*member].contains(topic));
        give(&mut plan, member.expect("there is a reader"), topic, partition);
    }
}
plan
