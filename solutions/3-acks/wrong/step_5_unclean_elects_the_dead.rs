//! step_5_a caught by step_5: elects the first replica if unclean is allowed, though it is dead (R3.15)
let mut living = replicas.iter().copied().filter(|id| alive.contains(id));
let clean = living.find(|id| in_sync.contains(id));
clean.or(replicas.first().copied().filter(|_| unclean && !alive.is_empty()))
