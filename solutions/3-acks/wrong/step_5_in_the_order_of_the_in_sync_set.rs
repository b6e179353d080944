//! step_5_a caught by step_5: takes the first of the in-sync set, not of the replicas (R3.14)
let clean = in_sync.iter().copied().find(|id| alive.contains(id) && replicas.contains(id));
let first = replicas.iter().copied().find(|id| alive.contains(id));
clean.or(first.filter(|_| unclean))
