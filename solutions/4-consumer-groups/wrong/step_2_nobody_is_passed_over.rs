//! step_2 caught by step_2: gives partitions to who does not want them (R4.2 R4.4)
let mut turns = subscribed.keys().cycle();
for (topic, count) in partitions {
    if readers(subscribed, topic).is_empty() {
        continue;
    }
    for partition in 0..*count {
        let member = turns.next();
        give(&mut plan, member.expect("there is a member"), topic, partition);
    }
}
plan
