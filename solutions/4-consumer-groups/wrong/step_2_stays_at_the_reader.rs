//! step_2 caught by step_2: does not go on behind whoever got the last (R4.4)
let members: Vec<&String> = subscribed.keys().collect();
let mut turn = 0;
for (topic, count) in partitions {
    if readers(subscribed, topic).is_empty() {
        continue;
    }
    for partition in 0..*count {
        if partition > 0 {
            turn += 1;
        }
        while !subscribed[members[turn % members.len()]].contains(topic) {
            turn += 1;
        }
        give(&mut plan, members[turn % members.len()], topic, partition);
    }
}
plan
