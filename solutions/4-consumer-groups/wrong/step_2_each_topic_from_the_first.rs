//! step_2 caught by step_2: begins every topic with the first member (R4.4)
for (topic, count) in partitions {
    let mut turns = subscribed.keys().cycle();
    if readers(subscribed, topic).is_empty() {
        continue;
    }
    for partition in 0..*count {
        let member = turns.find(|member| subscribed[*member].contains(topic));
        give(&mut plan, member.expect("there is a reader"), topic, partition);
    }
}
plan
