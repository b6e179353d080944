//! step_2 caught by step_2: leaves whoever has nothing out of the plan (R4.3)
let mut turns = subscribed.keys().cycle();
for (topic, count) in partitions {
    if readers(subscribed, topic).is_empty() {
        continue;
    }
    for partition in 0..*count {
        let member = turns.find(|member| subscribed[*member].contains(topic));
        give(&mut plan, member.expect("there is a reader"), topic, partition);
    }
}
plan.retain(|_, theirs| !theirs.is_empty());
plan
