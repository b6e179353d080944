//! step_2_e caught by step_2: across a lag that is not known its neighbours are compared (R5.12)
let gains = |pair: &[crate::Commit]| match (pair[0].lag, pair[1].lag) {
    (Some(before), Some(after)) => after < before,
    _ => false,
};
!self.commits().windows(2).any(gains)
