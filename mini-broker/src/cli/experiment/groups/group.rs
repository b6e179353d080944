//! A group as it can be known from outside: by what its members say, and by what was done to them.

use std::fmt;

use super::tally::Tally;

/// In the order in which they come.
pub const NAMES: [&str; 9] = ["ann", "bob", "cho", "dan", "eve", "fay", "gus", "hal", "ida"];

/// What was done to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    Runs,
    Slow,
    Frozen,
    Dead,
}

pub struct Member {
    pub name: &'static str,
    pub life: Life,
    /// That it has heard of last; −1: of none.
    pub generation: i32,
    pub partitions: Vec<i32>,
    pub done: u64,
}

/// Who has a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    Nobody,
    Reads(usize),
    /// It is theirs, and they do not get to it.
    Silent(usize),
}

pub struct Group {
    pub partitions: usize,
    pub members: Vec<Member>,
    /// The newest that one of them has heard of.
    pub generation: i32,
    pub tally: Tally,
}

impl Group {
    pub fn new(partitions: usize) -> Self {
        Self { partitions, members: Vec::new(), generation: -1, tally: Tally::new(partitions) }
    }

    pub fn start(&mut self, name: &'static str) {
        let (life, generation) = (Life::Runs, -1);
        self.members.push(Member { name, life, generation, partitions: Vec::new(), done: 0 });
    }

    /// A member has heard of a generation.
    pub fn assigned(&mut self, member: usize, generation: i32, partitions: Vec<i32>) {
        let one = &mut self.members[member];
        (one.generation, one.partitions) = (generation, partitions);
        self.generation = self.generation.max(generation);
    }

    pub fn done(&mut self, member: usize, partition: i32, first: i64, last: i64) {
        self.members[member].done += (last - first + 1) as u64;
        self.tally.done(partition as usize, first, last);
    }

    /// Whether all who can have heard of the newest generation.
    pub fn is_settled(&self) -> bool {
        let mut running = self.members.iter().filter(|member| member.life == Life::Runs);
        running.all(|member| member.generation == self.generation)
    }

    pub fn owner(&self, partition: usize) -> Owner {
        let has =
            |member: &Member| self.is_in(member) && member.partitions.contains(&(partition as i32));
        match self.members.iter().position(has) {
            None => Owner::Nobody,
            Some(member) if self.members[member].life == Life::Runs => Owner::Reads(member),
            Some(member) => Owner::Silent(member),
        }
    }

    pub fn owners(&self) -> Vec<Owner> {
        (0..self.partitions).map(|partition| self.owner(partition)).collect()
    }

    /// A member in a word or two. Whoever is silent has partitions all the same, until it is noticed.
    pub fn state(&self, member: &Member) -> &'static str {
        let noticed = !self.is_in(member);
        match member.life {
            Life::Runs if noticed => "joins",
            Life::Runs if member.partitions.is_empty() => "idle",
            Life::Runs => "reads",
            Life::Slow if noticed => "too slow: out",
            Life::Slow => "too slow",
            Life::Frozen if noticed => "frozen: out",
            Life::Frozen => "frozen, silent",
            Life::Dead if noticed => "dead",
            Life::Dead => "dead, silent",
        }
    }

    /// Whether it is in the newest generation.
    pub fn is_in(&self, member: &Member) -> bool {
        member.generation >= 0 && member.generation == self.generation
    }
}

/// `generation 5: ann 0 1, bob 2, eve 3, fay idle`
impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "generation {}", self.generation)?;
        let mut sign = ':';
        for member in self.members.iter().filter(|member| self.is_in(member)) {
            write!(f, "{sign} {}", member.name)?;
            sign = ',';
            member.partitions.iter().try_for_each(|partition| write!(f, " {partition}"))?;
            if member.partitions.is_empty() {
                f.write_str(" idle")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_member_has_its_partitions_until_others_hear_of_a_new_generation() {
        let mut group = Group::new(2);
        for name in &NAMES[..3] {
            group.start(name);
        }
        assert!(group.is_settled());
        assert_eq!(group.owners(), [Owner::Nobody; 2]);
        group.assigned(0, 1, vec![0]);
        assert!(!group.is_settled());
        group.assigned(1, 1, vec![1]);
        group.assigned(2, 1, vec![]);
        assert!(group.is_settled());
        assert_eq!(group.to_string(), "generation 1: ann 0, bob 1, cho idle");

        group.members[1].life = Life::Dead;
        assert_eq!(group.owners(), [Owner::Reads(0), Owner::Silent(1)]);
        assert_eq!(group.state(&group.members[1]), "dead, silent");
        // One has heard of the next plan, the other has not yet.
        group.assigned(2, 2, vec![1]);
        assert_eq!(group.owners(), [Owner::Nobody, Owner::Reads(2)]);
        assert_eq!(group.state(&group.members[0]), "joins");
        assert_eq!(group.state(&group.members[1]), "dead");
        group.assigned(0, 2, vec![0]);
        assert!(group.is_settled());
        assert_eq!(group.to_string(), "generation 2: ann 0, cho 1");
    }
}
