//! Plans: who reads which partitions. A plan is made by one of the consumers, the group's leader,
//! with an assignor that all of them know. The broker only passes it on.

use std::collections::BTreeMap;

/// For each member its partitions, as topic and number. Whoever has nothing to read stands in it
/// too, with an empty list.
pub type Plan = BTreeMap<String, Vec<(String, u32)>>;

/// A plan in which nobody has anything yet.
pub(crate) fn nobody_reads(subscribed: &BTreeMap<String, Vec<String>>) -> Plan {
    subscribed.keys().map(|member| (member.clone(), Vec::new())).collect()
}

/// Who wants to read a topic, in the order of the member ids.
pub(crate) fn readers<'a>(
    subscribed: &'a BTreeMap<String, Vec<String>>,
    topic: &str,
) -> Vec<&'a str> {
    let wants = |topics: &[String]| topics.iter().any(|wanted| wanted == topic);
    let readers = subscribed.iter().filter(|(_, topics)| wants(topics));
    readers.map(|(member, _)| member.as_str()).collect()
}

/// Gives a partition to a member.
pub(crate) fn give(plan: &mut Plan, member: &str, topic: &str, partition: u32) {
    plan.entry(member.to_owned()).or_default().push((topic.to_owned(), partition));
}
