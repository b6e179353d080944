//! The switchboard and the fence.
//!
//! The switchboard says whose organs the broker is built with: ours, or with the feature `lab-…` the
//! learner's. The fence keeps a panic inside an organ (an unfinished step says `todo!`) from taking
//! the broker along: the panic is named in the terminal, and from then on that one partition or group
//! answers with an error.
//!
//! The metadata log never goes through here: it always uses our solution, because the broker's own
//! memory must not depend on an unfinished lab.

#[cfg(feature = "lab-acks")]
pub use ::acks;
#[cfg(not(feature = "lab-acks"))]
pub use ::acks_solution as acks;
#[cfg(feature = "lab-consumer-groups")]
pub use ::consumer_groups;
#[cfg(not(feature = "lab-consumer-groups"))]
pub use ::consumer_groups_solution as consumer_groups;
#[cfg(feature = "lab-lag")]
pub use ::lag;
#[cfg(not(feature = "lab-lag"))]
pub use ::lag_solution as lag;
#[cfg(feature = "lab-offset-log")]
pub use ::offset_log;
#[cfg(not(feature = "lab-offset-log"))]
pub use ::offset_log_solution as offset_log;
#[cfg(feature = "lab-partitions")]
pub use ::partitions;
#[cfg(not(feature = "lab-partitions"))]
pub use ::partitions_solution as partitions;

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};

/// One organ: the lab it belongs to, and whether this build has the learner's.
pub struct Wired {
    pub lab: &'static str,
    pub folder: &'static str,
    pub yours: bool,
}

/// Every organ of the broker. A new lab adds its line here and its pair of `use` lines above.
pub const WIRED: &[Wired] = &[
    Wired {
        lab: "offset-log",
        folder: "labs/1-offset-log",
        yours: cfg!(feature = "lab-offset-log"),
    },
    Wired {
        lab: "partitions",
        folder: "labs/2-partitions",
        yours: cfg!(feature = "lab-partitions"),
    },
    Wired { lab: "acks", folder: "labs/3-acks", yours: cfg!(feature = "lab-acks") },
    Wired {
        lab: "consumer-groups",
        folder: "labs/4-consumer-groups",
        yours: cfg!(feature = "lab-consumer-groups"),
    },
    Wired { lab: "lag", folder: "labs/5-lag", yours: cfg!(feature = "lab-lag") },
];

/// The line a broker prints at its start: which organs are the learner's.
pub fn banner() -> String {
    let names = |yours: bool| -> Vec<&str> {
        WIRED.iter().filter(|organ| organ.yours == yours).map(|organ| organ.lab).collect()
    };
    let (yours, ours) = (names(true), names(false));
    match (yours.is_empty(), ours.is_empty()) {
        (true, _) => format!("organs: all ours ({})", ours.join(", ")),
        (_, true) => format!("organs: all yours ({})", yours.join(", ")),
        _ => format!("organs: yours {}; ours {}", yours.join(", "), ours.join(", ")),
    }
}

/// The learner's organ of this lab, if this build has it.
pub fn yours(lab: &str) -> Option<&'static Wired> {
    WIRED.iter().find(|organ| organ.lab == lab && organ.yours)
}

/// What a panic in an organ says to a person: whose organ, which step, and where.
pub fn told(lab: &str, broken: &Broken) -> String {
    let whose = if yours(lab).is_some() { "your" } else { "our" };
    let Broken { message, place } = broken;
    match message.strip_prefix("not yet implemented: ") {
        Some(step) => format!("{whose} {lab} is not finished: {step}\n    at {place}"),
        None => format!("{whose} {lab} panicked: {message}\n    at {place}"),
    }
}

/// An organ behind the fence. After a panic it is broken for good: its state may be half changed.
pub struct Organ<T> {
    /// `None`: it broke while it was made.
    organ: Option<T>,
    broken: Option<Broken>,
}

/// What is known of a panic inside an organ.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({place})")]
pub struct Broken {
    /// The panic's own words, such as `not yet implemented: step 4: …`.
    pub message: String,
    /// The file and line.
    pub place: String,
}

impl<T> Organ<T> {
    pub fn new(organ: T) -> Self {
        Self { organ: Some(organ), broken: None }
    }

    /// Makes it behind the fence, too.
    pub fn made(make: impl FnOnce() -> T) -> Self {
        match fenced(make) {
            Ok(organ) => Self::new(organ),
            Err(broken) => Self { organ: None, broken: Some(broken) },
        }
    }

    /// Calls into the organ. A panic is caught, and every later call is refused with its reason.
    pub fn call<R>(&mut self, call: impl FnOnce(&mut T) -> R) -> Result<R, Broken> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone());
        }
        let organ = self.organ.as_mut().expect("there, or broken");
        fenced(|| call(organ)).inspect_err(|broken| self.broken = Some(broken.clone()))
    }

    /// Why the organ answers no more, if so.
    pub fn broken(&self) -> Option<&Broken> {
        self.broken.as_ref()
    }
}

thread_local! {
    /// `Some` while this thread is inside the fence; the panic hook leaves the place here.
    static FENCE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs a call that may panic.
pub fn fenced<R>(call: impl FnOnce() -> R) -> Result<R, Broken> {
    let outer = FENCE.replace(Some(String::new()));
    let result = panic::catch_unwind(AssertUnwindSafe(call));
    let place = FENCE.replace(outer).filter(|place| !place.is_empty());
    result.map_err(|payload| Broken {
        message: payload
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| payload.downcast_ref::<&str>().map(|text| text.to_string()))
            .unwrap_or_else(|| "a panic without words".into()),
        place: place.unwrap_or_else(|| "place unknown".into()),
    })
}

/// Makes a panic behind the fence silent (whoever called the organ reports it, with more to say) and
/// remembers its place. Every other panic is printed as before.
pub fn install_panic_hook() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let inside = FENCE.with_borrow_mut(|fence| match fence {
            Some(place) => {
                *place = info.location().map(|at| at.to_string()).unwrap_or_default();
                true
            }
            None => false,
        });
        if !inside {
            before(info);
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panicking_organ_is_named_and_stays_broken() {
        let mut organ = Organ::new(1);
        assert_eq!(organ.call(|number| *number + 1), Ok(2));

        let broken = organ.call(|_| -> i32 { todo!("step 4: find the segment") }).unwrap_err();
        assert_eq!(broken.message, "not yet implemented: step 4: find the segment");
        assert_eq!(organ.call(|number| *number), Err(broken));
    }
}
