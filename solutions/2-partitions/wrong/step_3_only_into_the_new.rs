//! step_3 caught by step_3: counts only the keys that go to a new partition, not those that change among the old ones (R2.7)
keys.iter().filter(|key| for_key(key, after) >= before).count()
