//! step_3 caught by step_3: counts a key once, however often it stands there (R2.7)
let keys: std::collections::BTreeSet<_> = keys.iter().collect();
keys.iter().filter(|key| for_key(key, before) != for_key(key, after)).count()
