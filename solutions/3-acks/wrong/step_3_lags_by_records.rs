//! step_3_a caught by step_3: counts how many records a follower is behind, as Kafka did until 0.9 (R3.8)
follower.log_end.is_none_or(|log_end| log_end + 100 < self.log_end)
