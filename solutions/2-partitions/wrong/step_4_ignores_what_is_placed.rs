//! step_4 caught by step_4: begins as if nothing were placed (R2.9 R2.11)
if replicas == 0 || usize::from(replicas) > brokers.len() {
    return Err(Error::Replicas { wanted: replicas, brokers: brokers.len() });
}
let mut load = Load::of(&have[..0]);
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
