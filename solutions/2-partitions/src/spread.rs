//! Partitions are spread over brokers: each broker leads some, and holds copies of others.

use crate::{Error, Load};

/// Places `add` new partitions with `replicas` replicas each, and returns where: for each partition
/// its brokers, the preferred leader first.
///
/// `have` are the topic's partitions that are placed already. They stay where they are, and count:
/// a new partition goes where there is least. Its leader is the broker that leads the fewest; among
/// those, the one that holds the fewest replicas; among those, the first in `brokers`. Its followers
/// are the other brokers that hold the fewest replicas; among equals, the first in `brokers`.
///
/// Only `brokers` get replicas, each at most one of a partition. If there are not enough of them, or
/// no replica is asked for, that is an error.
pub fn spread(
    brokers: &[i32],
    have: &[Vec<i32>],
    add: u32,
    replicas: u16,
) -> Result<Vec<Vec<i32>>, Error> {
    if let ([only], 1) = (brokers, replicas) {
        return Ok(vec![vec![*only]; add as usize]); // nothing to choose
    }
    // STARTER: let _ = (Load::of(have), Error::Replicas { wanted: replicas, brokers: brokers.len() });
    // STARTER: todo!("step 4: place {add} partitions on the brokers {brokers:?}")
    // ANCHOR: step_4
    if replicas == 0 || usize::from(replicas) > brokers.len() {
        return Err(Error::Replicas { wanted: replicas, brokers: brokers.len() });
    }
    let mut load = Load::of(have);
    let mut added = Vec::new();
    for _ in 0..add {
        let mut order = brokers.to_vec();
        order.sort_by_key(|&broker| load.holds(broker));
        let leader = (0..order.len()).min_by_key(|&at| load.leads(order[at]));
        let leader = order.remove(leader.unwrap_or(0));
        let mut placed = vec![leader];
        placed.extend(&order[..usize::from(replicas) - 1]);
        load.add(&placed);
        added.push(placed);
    }
    Ok(added)
    // ANCHOR_END: step_4
}
