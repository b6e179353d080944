//! step_5_a caught by step_5: elects the first replica if it is in sync, and nobody else (R3.14)
let first = replicas.first().copied();
let clean = first.filter(|id| alive.contains(id) && in_sync.contains(id));
clean.or(replicas.iter().copied().find(|id| alive.contains(id)).filter(|_| unclean))
