//! step_2_c caught by step_2: a rewind that is made good is none (R5.9)
self.commits().windows(2).any(|pair| pair[1].offset < pair[0].offset)
