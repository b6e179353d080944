//! step_2 caught by step_2: begins with partition 1 (R4.2 R4.4)
let mut turns = subscribed.keys().cycle();
for (topic, count) in partitions {
    if readers(subscribed, topic).is_empty() {
        continue;
    }
    for partition in 1..*count {
        let member = turns.find(|member| subscribed[*member].contains(topic));
        give(&mut plan, member.expect("there is a reader"), topic, partition);
    }
}
plan
