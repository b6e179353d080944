//! step_5_a caught by step_5: elects a replica that is not in sync though that is not allowed (R3.15)
let mut living = replicas.iter().copied().filter(|id| alive.contains(id));
let _ = unclean;
let first = living.clone().next();
match living.find(|id| in_sync.contains(id)) {
    Some(leader) => Some(leader),
    None => first,
}
