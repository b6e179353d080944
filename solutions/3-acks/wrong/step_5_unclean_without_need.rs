//! step_5_a caught by step_5: takes the first of the living when unclean is allowed, though one in sync is alive (R3.14 R3.15)
let mut living = replicas.iter().copied().filter(|id| alive.contains(id));
if unclean { living.next() } else { living.find(|id| in_sync.contains(id)) }
