//! step_3_a caught by step_3: throws out whoever does not have everything right now (R3.8)
follower.log_end != Some(self.log_end)
