//! step_5_a caught by step_5: elects whoever is alive, in sync or not (R3.14 R3.15)
let mut living = replicas.iter().copied().filter(|id| alive.contains(id));
let first = living.clone().next();
let _ = (in_sync, unclean, living.next());
first
