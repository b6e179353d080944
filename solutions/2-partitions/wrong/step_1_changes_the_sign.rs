//! step_1 caught by step_1: changes the sign instead of clearing it: another partition for half of the keys than with Kafka (R2.2)
murmur2(key).unsigned_abs() % partitions
