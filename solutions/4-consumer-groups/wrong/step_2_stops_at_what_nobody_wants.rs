//! step_2 caught by step_2: gives nothing away behind a topic that nobody wants (R4.2)
let mut turns = subscribed.keys().cycle();
for (topic, count) in partitions {
    if readers(subscribed, topic).is_empty() {
        break;
    }
    for partition in 0..*count {
        let member = turns.find(|member| subscribed[*member].contains(topic));
        give(&mut plan, member.expect("there is a reader"), topic, partition);
    }
}
plan
