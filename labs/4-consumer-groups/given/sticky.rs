//! The sticky assignor: as even as can be, and with few moves.
//!
//! Range and round-robin begin anew each time, so one member more or less may move most partitions,
//! and with each goes what its reader had at hand for it. This one begins with what members have.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::Plan;
use crate::plan::{nobody_reads, readers};

type Partition = (String, u32);

/// Who reads what, if everybody keeps what it `owned`, as far as that is fair. (Kafka:
/// `StickyAssignor`, whose answers depend on the order of a hash table. So this one promises what
/// that one promises, and not the same answers.)
pub fn sticky(
    subscribed: &BTreeMap<String, Vec<String>>,
    partitions: &BTreeMap<String, u32>,
    owned: &Plan,
) -> Plan {
    let mut dealing = Dealing::new(subscribed, partitions);
    for (member, partitions) in owned {
        partitions.iter().for_each(|partition| dealing.keep(member, partition));
    }
    let kept = dealing.owner.clone();
    dealing.deal_the_rest();
    while let Some(path) = dealing.unfair() {
        path.windows(2).for_each(|pair| dealing.shift(&pair[0], &pair[1], &kept));
    }
    let mut plan = nobody_reads(subscribed);
    for (partition, member) in dealing.owner {
        plan.entry(member).or_default().push(partition);
    }
    plan
}

/// What may be handed out at once, if members read on while a round is open: a partition that another
/// member still has is first given up, and given away in the next round. (KIP-429,
/// `CooperativeStickyAssignor`.)
pub fn cooperative(mut plan: Plan, owned: &Plan) -> Plan {
    let owner: BTreeMap<&Partition, &String> = owned
        .iter()
        .flat_map(|(member, partitions)| partitions.iter().map(move |one| (one, member)))
        .collect();
    for (member, partitions) in &mut plan {
        partitions.retain(|one| owner.get(one).is_none_or(|owner| *owner == member));
    }
    plan
}

/// A plan in the making.
struct Dealing {
    /// For each partition, who may read it. Not in it are those that nobody wants.
    readers: BTreeMap<Partition, BTreeSet<String>>,
    owner: BTreeMap<Partition, String>,
    /// How many partitions each member has.
    load: BTreeMap<String, usize>,
}

impl Dealing {
    fn new(subscribed: &BTreeMap<String, Vec<String>>, partitions: &BTreeMap<String, u32>) -> Self {
        let mut all = BTreeMap::new();
        for (topic, count) in partitions {
            let readers: BTreeSet<String> =
                readers(subscribed, topic).into_iter().map(str::to_owned).collect();
            for partition in (0..*count).filter(|_| !readers.is_empty()) {
                all.insert((topic.clone(), partition), readers.clone());
            }
        }
        let load = subscribed.keys().map(|member| (member.clone(), 0)).collect();
        Dealing { readers: all, owner: BTreeMap::new(), load }
    }

    /// A member keeps what it had, if it still wants it and nobody else has claimed it too.
    fn keep(&mut self, member: &str, partition: &Partition) {
        let wanted = self.readers.get(partition).is_some_and(|readers| readers.contains(member));
        if wanted && !self.owner.contains_key(partition) {
            self.own(member, partition);
        }
    }

    fn own(&mut self, member: &str, partition: &Partition) {
        if let Some(before) = self.owner.insert(partition.clone(), member.to_owned()) {
            *self.load.get_mut(&before).expect("an owner is a member") -= 1;
        }
        *self.load.get_mut(member).expect("a reader is a member") += 1;
    }

    /// What nobody has goes to whoever has least; first what has the fewest readers to choose from.
    fn deal_the_rest(&mut self) {
        let free = self.readers.iter().filter(|(one, _)| !self.owner.contains_key(*one));
        let mut free: Vec<_> =
            free.map(|(one, readers)| (readers.len(), one.clone(), readers.clone())).collect();
        free.sort();
        for (_, partition, readers) in free {
            let least = readers.iter().min_by_key(|member| self.load[*member]);
            let least = least.expect("it has readers").clone();
            self.own(&least, &partition);
        }
    }

    /// Somebody has two more than somebody else, and there is a way to give one on, perhaps over
    /// others: that way. When there is none, it is as even as it can be.
    fn unfair(&self) -> Option<Vec<String>> {
        if self.load.values().max() <= self.load.values().min().map(|least| least + 1).as_ref() {
            return None; // most groups: all members want the same
        }
        let mut heaviest: Vec<&String> = self.load.keys().collect();
        heaviest.sort_by_key(|member| std::cmp::Reverse(self.load[*member]));
        heaviest.into_iter().find_map(|member| self.way_from(member))
    }

    fn way_from(&self, from: &str) -> Option<Vec<String>> {
        let mut came_from: BTreeMap<String, String> = BTreeMap::new();
        let mut queue = VecDeque::from([from.to_owned()]);
        while let Some(member) = queue.pop_front() {
            if self.load[&member] + 2 <= self.load[from] {
                let mut way = vec![member];
                while let Some(before) = came_from.get(way.last()?) {
                    way.push(before.clone());
                }
                way.reverse();
                return Some(way);
            }
            let theirs = self.owner.iter().filter(|(_, owner)| **owner == member);
            for next in theirs.flat_map(|(one, _)| &self.readers[one]) {
                if next != from && !came_from.contains_key(next) {
                    came_from.insert(next.clone(), member.clone());
                    queue.push_back(next.clone());
                }
            }
        }
        None
    }

    /// One partition goes from one member to another: best one that was the other's before, or else
    /// one that the first has only just got.
    fn shift(&mut self, from: &str, to: &str, kept: &BTreeMap<Partition, String>) {
        let movable = self
            .owner
            .iter()
            .filter(|(one, owner)| owner.as_str() == from && self.readers[*one].contains(to));
        let best = movable.max_by_key(|(one, _)| match kept.get(*one) {
            Some(owner) if owner == to => 2,
            Some(owner) if owner == from => 0,
            _ => 1,
        });
        let best = best.map(|(one, _)| one.clone()).expect("there was a way");
        self.own(to, &best);
    }
}
