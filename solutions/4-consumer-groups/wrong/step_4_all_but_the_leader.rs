//! step_4_c caught by step_4: tells all but the leader (R4.14)
if self.leader.as_deref() != Some(member) { all.collect() } else { Vec::new() }
