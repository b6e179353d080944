//! step_2_b caught by step_2: how long is too long depends on how often the group commits (R5.7)
now_ms.saturating_sub(self.last().at_ms) > 5_000
