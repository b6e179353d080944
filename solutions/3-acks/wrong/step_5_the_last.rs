//! step_5_a caught by step_5: takes the last of the replicas that are able (R3.14 R3.15)
let living = replicas.iter().copied().filter(|id| alive.contains(id));
let clean = living.clone().filter(|id| in_sync.contains(id)).last();
clean.or(living.last().filter(|_| unclean))
