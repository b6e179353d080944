//! step_1 caught by step_1: divides as evenly, but not to the first ones (R4.1)
place * partitions / members..(place + 1) * partitions / members
