//! step_2 caught by step_2: takes the leader's own log end (R3.4)
self.log_end
