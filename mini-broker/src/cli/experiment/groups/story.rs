//! What is done to the group, and when.

use std::fmt;
use std::time::Duration;

use super::group::NAMES;

/// Something that is done. Members go by their number, from 0 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    Start(usize),
    Kill(usize),
    Freeze(usize),
    Thaw(usize),
    Slow(usize),
    /// As fast as before.
    Hurry(usize),
    /// The second group, of one member.
    Second,
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Deed::Start(member) => write!(f, "{} starts", NAMES[member]),
            Deed::Kill(member) => write!(f, "kill -9 {}", NAMES[member]),
            Deed::Freeze(member) => write!(f, "freeze {}", NAMES[member]),
            Deed::Thaw(member) => write!(f, "thaw {}", NAMES[member]),
            Deed::Slow(member) => write!(f, "slow down {}", NAMES[member]),
            Deed::Hurry(member) => write!(f, "{} as before", NAMES[member]),
            Deed::Second => f.write_str("billing starts"),
        }
    }
}

const ANN: usize = 0;
const BOB: usize = 1;
const CHO: usize = 2;
const DAN: usize = 3;
const EVE: usize = 4;
const FAY: usize = 5;

/// In seconds from the first record on. What one deed has left behind is worked off, more or less,
/// before the next.
pub const STORY: [(f64, Deed); 13] = [
    (0.0, Deed::Start(ANN)),
    (2.0, Deed::Start(BOB)),
    (3.5, Deed::Start(CHO)),
    (5.0, Deed::Start(DAN)),
    // One more than there are partitions.
    (6.5, Deed::Start(EVE)),
    // She takes over, ...
    (18.0, Deed::Kill(DAN)),
    // ... and now nobody is to spare: one does the work of two.
    (25.0, Deed::Kill(CHO)),
    (33.0, Deed::Start(FAY)),
    (39.0, Deed::Second),
    (45.0, Deed::Freeze(BOB)),
    (49.5, Deed::Thaw(BOB)),
    (54.0, Deed::Slow(ANN)),
    (62.0, Deed::Hurry(ANN)),
];
pub const END: f64 = 67.0;

/// What is still to come.
pub fn acts() -> impl Iterator<Item = (Duration, Deed)> {
    STORY.into_iter().map(|(at, deed)| (Duration::from_secs_f64(at), deed))
}

#[cfg(test)]
mod tests {
    use super::super::group::Life;
    use super::*;

    #[test]
    fn each_deed_is_possible_when_its_time_comes() {
        let mut lives: Vec<Life> = Vec::new();
        let mut last = 0.0;
        for (at, deed) in STORY {
            assert!(at >= last && at < END, "{deed}");
            last = at;
            match deed {
                Deed::Start(member) => {
                    assert_eq!(member, lives.len());
                    lives.push(Life::Runs);
                }
                Deed::Kill(member) => {
                    assert_eq!(std::mem::replace(&mut lives[member], Life::Dead), Life::Runs);
                }
                Deed::Freeze(member) => {
                    assert_eq!(std::mem::replace(&mut lives[member], Life::Frozen), Life::Runs);
                }
                Deed::Thaw(member) => {
                    assert_eq!(std::mem::replace(&mut lives[member], Life::Runs), Life::Frozen);
                }
                Deed::Slow(member) => {
                    assert_eq!(std::mem::replace(&mut lives[member], Life::Slow), Life::Runs);
                }
                Deed::Hurry(member) => {
                    assert_eq!(std::mem::replace(&mut lives[member], Life::Runs), Life::Slow);
                }
                Deed::Second => {}
            }
        }
        // In the end there are as many as partitions.
        assert_eq!(lives.iter().filter(|life| **life == Life::Runs).count(), 4);
    }
}
