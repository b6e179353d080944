//! step_2 caught by step_2: leaves a partition out if it comes to somebody who does not want it (R4.2 R4.4)
let mut turns = subscribed.keys().cycle();
for (topic, count) in partitions {
    if readers(subscribed, topic).is_empty() {
        continue;
    }
    for partition in 0..*count {
        let member = turns.next().expect("there is a member");
        if subscribed[member].contains(topic) {
            give(&mut plan, member, topic, partition);
        }
    }
}
plan
