//! step_5_a caught by step_5: elects the first that is in sync, dead or alive (R3.14 R3.15)
let clean = replicas.iter().copied().find(|id| in_sync.contains(id));
let first = replicas.iter().copied().find(|id| alive.contains(id));
clean.or(first.filter(|_| unclean))
