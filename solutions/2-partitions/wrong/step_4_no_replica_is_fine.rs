//! step_4 caught by step_4: places partitions without any replica (R2.8)
if usize::from(replicas) > brokers.len() {
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
    placed.extend(order);
    placed.truncate(replicas.into());
    load.add(&placed);
    added.push(placed);
}
Ok(added)
