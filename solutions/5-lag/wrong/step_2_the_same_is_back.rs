//! step_2_c caught by step_2: the same offset again is no step back (R5.9)
let commits = self.commits();
let back = (1..commits.len()).find(|&n| commits[n].offset <= commits[n - 1].offset);
let lost = |n: usize| commits[n..].iter().all(|later| later.offset <= commits[n - 1].offset);
back.is_some_and(lost)
