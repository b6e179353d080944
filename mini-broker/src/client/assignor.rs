//! Who reads which partitions? The leader of a group works it out, with the organ of lab 4 behind its
//! fence.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use wire::ErrorCode;
use wire::consumer_protocol::{ConsumerProtocolSubscription, TopicPartition as OfTopic};
use wire::groups::JoinGroupResponseMember;

use super::{Error, TopicPartition};
use crate::labs::consumer_groups::{self, Plan};
use crate::labs::{fenced, told};

/// `partition.assignment.strategy`. All of them give up everything before they share out anew:
/// `cooperative-sticky`, which does not, is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    Range,
    RoundRobin,
    Sticky,
}

impl Strategy {
    /// The name that members tell each other.
    pub fn name(self) -> &'static str {
        match self {
            Strategy::Range => "range",
            Strategy::RoundRobin => "roundrobin",
            Strategy::Sticky => "sticky",
        }
    }

    /// By this name, or by that of the class in Kafka's Java client.
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix("org.apache.kafka.clients.consumer.").unwrap_or(text) {
            "range" | "RangeAssignor" => Some(Strategy::Range),
            "roundrobin" | "RoundRobinAssignor" => Some(Strategy::RoundRobin),
            "sticky" | "StickyAssignor" => Some(Strategy::Sticky),
            _ => None,
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the leader of a group was told of the members.
pub struct Members {
    /// A name by which the organ orders them → the member id.
    ids: BTreeMap<String, String>,
    subscribed: BTreeMap<String, Vec<String>>,
    owned: Plan,
}

impl Members {
    pub fn read(members: &[JoinGroupResponseMember]) -> Result<Self, Error> {
        let mut read =
            Members { ids: BTreeMap::new(), subscribed: BTreeMap::new(), owned: Plan::new() };
        let mut subscriptions = Vec::new();
        for member in members {
            let name = name(member);
            let subscription = ConsumerProtocolSubscription::from_bytes(&member.metadata);
            let subscription = subscription.map_err(|malformed| {
                let what = format!("the subscription of member {}", member.member_id);
                let code = ErrorCode::INCONSISTENT_GROUP_PROTOCOL;
                Error::refused(what, code, Some(malformed.to_string()))
            })?;
            read.ids.insert(name.clone(), member.member_id.clone());
            read.subscribed.insert(name.clone(), subscription.topics.clone());
            subscriptions.push((name, subscription));
        }
        // Who missed the last generation may claim what others have read since.
        let last = subscriptions.iter().map(|(_, one)| one.generation_id).max();
        for (name, one) in subscriptions {
            if Some(one.generation_id) == last {
                let owned = one.owned_partitions.iter().flat_map(places);
                read.owned.insert(name.clone(), owned.collect());
            }
        }
        Ok(read)
    }

    /// Every topic that one of them wants.
    pub fn topics(&self) -> BTreeSet<&str> {
        self.subscribed.values().flatten().map(String::as_str).collect()
    }

    /// Member id → its partitions. `partitions`: how many each topic has.
    pub fn assign(
        &self,
        strategy: Strategy,
        partitions: &BTreeMap<String, u32>,
    ) -> Result<BTreeMap<String, Vec<TopicPartition>>, Error> {
        let plan = fenced(|| match strategy {
            Strategy::Range => consumer_groups::range(&self.subscribed, partitions),
            Strategy::RoundRobin => consumer_groups::round_robin(&self.subscribed, partitions),
            Strategy::Sticky => consumer_groups::sticky(&self.subscribed, partitions, &self.owned),
        });
        let plan = plan.map_err(|broken| Error::Organ(told("consumer-groups", &broken)))?;
        let mut given = BTreeSet::new();
        let mut assigned = BTreeMap::new();
        for (name, places) in plan {
            let wrong = |what: String| {
                Error::Organ(format!("the lab consumer-groups, assignor {strategy}: {what}"))
            };
            let id = self.ids.get(&name).ok_or_else(|| wrong(format!("`{name}` is no member")))?;
            for (topic, partition) in &places {
                let count = partitions.get(topic).copied().unwrap_or_default();
                if *partition >= count {
                    return Err(wrong(format!(
                        "`{name}` got {topic}-{partition}, and {topic} has {count} partitions"
                    )));
                }
                if !given.insert((topic.clone(), *partition)) {
                    return Err(wrong(format!("two members got {topic}-{partition}")));
                }
            }
            let places = places.into_iter().map(|(topic, partition)| (topic, partition as i32));
            assigned.insert(id.clone(), places.collect());
        }
        Ok(assigned)
    }
}

/// A static member's name lasts longer than its id, and static members come first. So they keep what
/// they have while others come and go, and after a restart of their own (KIP-345). Kafka's assignors
/// order them so; the sign does it here, as no other comes before it.
fn name(member: &JoinGroupResponseMember) -> String {
    match &member.group_instance_id {
        Some(instance) => format!("!{instance}"),
        None => member.member_id.clone(),
    }
}

fn places(of: &OfTopic) -> impl Iterator<Item = (String, u32)> {
    let numbers = of.partitions.iter().filter_map(|partition| u32::try_from(*partition).ok());
    numbers.map(|partition| (of.topic.clone(), partition))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(
        id: &str,
        instance: Option<&str>,
        generation_id: i32,
        owned: &[i32],
    ) -> JoinGroupResponseMember {
        let owned = OfTopic { topic: "t".to_owned(), partitions: owned.to_vec() };
        let subscription = ConsumerProtocolSubscription {
            topics: vec!["t".to_owned()],
            owned_partitions: vec![owned],
            generation_id,
            ..Default::default()
        };
        JoinGroupResponseMember {
            member_id: id.to_owned(),
            group_instance_id: instance.map(str::to_owned),
            metadata: subscription.to_bytes(2),
        }
    }

    fn assigned(
        strategy: Strategy,
        members: &[JoinGroupResponseMember],
        partitions: u32,
    ) -> Vec<(String, Vec<i32>)> {
        let members = Members::read(members).unwrap();
        assert_eq!(members.topics().into_iter().collect::<Vec<_>>(), ["t"]);
        let plan = members.assign(strategy, &BTreeMap::from([("t".to_owned(), partitions)]));
        let numbers = |places: Vec<TopicPartition>| places.into_iter().map(|(_, n)| n).collect();
        plan.unwrap().into_iter().map(|(id, places)| (id, numbers(places))).collect()
    }

    fn plan(rows: &[(&str, &[i32])]) -> Vec<(String, Vec<i32>)> {
        rows.iter().map(|(id, numbers)| ((*id).to_owned(), numbers.to_vec())).collect()
    }

    #[test]
    fn static_members_come_first() {
        let members = [
            member("a", None, -1, &[]),
            member("new-id", Some("z"), -1, &[]),
            member("x", Some("y"), -1, &[]),
        ];
        let wanted = plan(&[("a", &[3]), ("new-id", &[2]), ("x", &[0, 1])]);
        assert_eq!(assigned(Strategy::Range, &members, 4), wanted);
        let wanted = plan(&[("a", &[2]), ("new-id", &[1]), ("x", &[0, 3])]);
        assert_eq!(assigned(Strategy::RoundRobin, &members, 4), wanted);
    }

    #[test]
    fn who_missed_the_last_generation_has_no_claims() {
        let members = |generation| {
            [
                member("a", None, generation, &[0, 1]),
                member("b", None, 7, &[0, 1]),
                member("c", None, -1, &[]),
            ]
        };
        let wanted = plan(&[("a", &[2]), ("b", &[0, 1]), ("c", &[3])]);
        assert_eq!(assigned(Strategy::Sticky, &members(6), 4), wanted);
        let wanted = plan(&[("a", &[0, 1]), ("b", &[2]), ("c", &[3])]);
        assert_eq!(assigned(Strategy::Sticky, &members(7), 4), wanted);
    }

    #[test]
    fn a_subscription_that_is_none_is_an_error() {
        let mut odd = member("a", None, -1, &[]);
        odd.metadata.truncate(3);
        let said = Members::read(&[odd]).err().unwrap().to_string();
        let what = "the subscription of member a: INCONSISTENT_GROUP_PROTOCOL (23): ";
        assert!(said.starts_with(what), "{said}");
    }

    #[test]
    fn strategies_have_javas_names_too() {
        for strategy in [Strategy::Range, Strategy::RoundRobin, Strategy::Sticky] {
            assert_eq!(Strategy::parse(strategy.name()), Some(strategy));
        }
        let java = "org.apache.kafka.clients.consumer.StickyAssignor";
        assert_eq!(Strategy::parse(java), Some(Strategy::Sticky));
        assert_eq!(Strategy::parse("cooperative-sticky"), None);
    }
}
