//! step_2_c caught by step_2: it must come to where it was before, not only further than where it went (R5.9)
let commits = self.commits();
let back = (1..commits.len()).find(|&n| commits[n].offset < commits[n - 1].offset);
let lost = |n: usize| commits[n + 1..].iter().all(|later| later.offset <= commits[n].offset);
back.is_some_and(lost)
