//! step_3 caught by step_3: says that nobody moves when there are fewer partitions (R2.7)
if after <= before {
    return 0;
}
keys.iter().filter(|key| for_key(key, before) != for_key(key, after)).count()
