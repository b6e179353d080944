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
    /// A name by which the organ orders them → the member id. That of a static member lasts longer
    /// than its id, so that the same member gets the same partitions after a restart (KIP-345).
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
            let name = member.group_instance_id.as_ref().unwrap_or(&member.member_id);
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

fn places(of: &OfTopic) -> impl Iterator<Item = (String, u32)> {
    let numbers = of.partitions.iter().filter_map(|partition| u32::try_from(*partition).ok());
    numbers.map(|partition| (of.topic.clone(), partition))
}
