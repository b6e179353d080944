//! step_3 caught by step_3: counts the keys that stay (R2.7)
keys.iter().filter(|key| for_key(key, before) == for_key(key, after)).count()
