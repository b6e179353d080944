//! What is done to the producer and to the consumer, and when.

use std::fmt;
use std::time::Duration;

/// Something that is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// The consumer starts.
    Start,
    /// kill -9.
    Kill,
    /// It does so many records a second from now on.
    Does(u64),
    /// So many records come in a second from now on.
    Come(u64),
    /// It cannot do a record, tries again and again, and commits where it is.
    Stuck,
    /// It can do it after all.
    Unstuck,
    /// It is stopped, set back by so many records, and started again.
    SetBack(u64),
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Deed::Start => f.write_str("it starts"),
            Deed::Kill => f.write_str("kill -9"),
            Deed::Does(rate) => write!(f, "it does {rate} a second"),
            Deed::Come(rate) => write!(f, "{rate} a second come"),
            Deed::Stuck => f.write_str("it is stuck at a record"),
            Deed::Unstuck => f.write_str("the record is mended"),
            Deed::SetBack(by) => write!(f, "it is set back by {by}"),
        }
    }
}

/// It does fewer than come, until the lag is above 600, and then more: P5.3.
pub const SLOW: u64 = 40;
pub const FASTER: u64 = 160;
pub const DRAINED_FROM: u64 = 600;

/// In seconds from the first record on.
pub const STORY: [(f64, Deed); 8] = [
    (0.0, Deed::Start),
    (11.0, Deed::Does(SLOW)),
    // A window of ten commits has to be full of bad ones.
    (28.0, Deed::Does(FASTER)),
    (48.0, Deed::Kill),
    (61.0, Deed::Start),
    (70.0, Deed::Stuck),
    (84.0, Deed::Unstuck),
    (92.0, Deed::SetBack(1_500)),
];
pub const END: f64 = 104.0;

/// What is still to come.
pub fn acts() -> impl Iterator<Item = (Duration, Deed)> {
    STORY.into_iter().map(|(at, deed)| (Duration::from_secs_f64(at), deed))
}

#[cfg(test)]
mod tests {
    use super::super::COME;
    use super::*;

    #[test]
    fn each_deed_is_possible_when_its_time_comes() {
        let (mut lives, mut stuck, mut last) = (false, false, -1.0);
        for (at, deed) in STORY {
            assert!(at > last && at < END, "{deed}");
            last = at;
            match deed {
                Deed::Start => assert!(!std::mem::replace(&mut lives, true)),
                Deed::Kill => assert!(std::mem::replace(&mut lives, false) && !stuck),
                Deed::Stuck => assert!(lives && !std::mem::replace(&mut stuck, true)),
                Deed::Unstuck => assert!(std::mem::replace(&mut stuck, false)),
                Deed::Does(_) | Deed::SetBack(_) => assert!(lives && !stuck),
                Deed::Come(_) => {}
            }
        }
    }

    /// The lag that P5.3 begins at is reached, and worked off before the next deed.
    #[test]
    fn there_is_time_for_the_third_prediction() {
        let at = |deed: Deed| STORY.iter().find(|(_, it)| *it == deed).unwrap().0;
        let grown = (at(Deed::Does(FASTER)) - at(Deed::Does(SLOW))) * (COME - SLOW) as f64;
        assert!(grown > DRAINED_FROM as f64, "{grown}");
        let drained = (at(Deed::Kill) - at(Deed::Does(FASTER))) * (FASTER - COME) as f64;
        assert!(drained > grown, "{drained}");
    }
}
