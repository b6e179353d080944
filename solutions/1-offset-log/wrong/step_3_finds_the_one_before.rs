//! step_3_b caught by step_3: looks in the segment before when an offset is the first of its segment (R1.9)
let after = self.segments.partition_point(|segment| segment.base < offset);
after.saturating_sub(1)
