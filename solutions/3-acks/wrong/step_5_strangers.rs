//! step_5_a caught by step_5: elects a broker that holds no replica (R3.15)
let clean = replicas.iter().copied().find(|id| alive.contains(id) && in_sync.contains(id));
clean.or(alive.first().copied().filter(|_| unclean))
