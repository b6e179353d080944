//! step_5_a caught by step_5: never elects a replica that is not in sync (R3.15)
let mut living = replicas.iter().copied().filter(|id| alive.contains(id));
let _ = unclean;
living.find(|id| in_sync.contains(id))
