//! The newest offset of each key: the table that a pass keeps in memory.
//!
//! Open addressing, and all keys in one piece of memory, so that what it takes is known to the byte.
//! It holds the keys themselves. (Kafka: `SkimpyOffsetMap`, which holds their MD5 instead.)

use std::hash::{DefaultHasher, Hasher};

use crate::records::varint;

pub struct Newest {
    /// As many as a power of two.
    slots: Vec<Slot>,
    taken: usize,
    /// Every key behind its length.
    keys: Vec<u8>,
    most_bytes: usize,
}

#[derive(Clone, Copy)]
struct Slot {
    hash: u32,
    /// Where the key stands; [`FREE`] in a slot that is free.
    key: u32,
    offset: i64,
}

const FREE: u32 = u32::MAX;
const FEWEST_SLOTS: usize = 1 << 10;

impl Newest {
    /// A table that is full at `most_bytes`.
    pub fn new(most_bytes: u64) -> Self {
        // Keys are found by 32 bits.
        let most_bytes = most_bytes.min(u64::from(FREE / 2)) as usize;
        let slots = vec![Slot { hash: 0, key: FREE, offset: 0 }; FEWEST_SLOTS];
        Self { slots, taken: 0, keys: Vec::new(), most_bytes }
    }

    /// Whether the next key may take more memory than there should be. A few more still fit.
    pub fn is_full(&self) -> bool {
        let slots = if self.is_crowded() { 2 * self.slots.len() } else { self.slots.len() };
        slots * size_of::<Slot>() + self.keys.len() >= self.most_bytes
    }

    /// Offsets come in order: the later one is the newer one.
    pub fn put(&mut self, key: &[u8], offset: i64) {
        if self.is_crowded() {
            self.grow();
        }
        let hash = hash(key);
        let at = self.find(key, hash);
        if self.slots[at].key == FREE {
            let place = u32::try_from(self.keys.len()).ok().filter(|place| *place < FREE);
            // Only a batch that unpacks to gigabytes gets here. Its keys count as not seen: then
            // older records of them stay.
            let Some(place) = place else { return };
            varint::put(&mut self.keys, key.len() as i64);
            self.keys.extend_from_slice(key);
            self.slots[at] = Slot { hash, key: place, offset };
            self.taken += 1;
        }
        self.slots[at].offset = offset;
    }

    pub fn get(&self, key: &[u8]) -> Option<i64> {
        let slot = self.slots[self.find(key, hash(key))];
        (slot.key != FREE).then_some(slot.offset)
    }

    /// The slot of a key, or the free one where it would be.
    fn find(&self, key: &[u8], hash: u32) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        while self.slots[at].key != FREE
            && (self.slots[at].hash != hash || self.key(self.slots[at].key) != key)
        {
            at = (at + 1) & mask;
        }
        at
    }

    fn key(&self, place: u32) -> &[u8] {
        let stored = &self.keys[place as usize..];
        let (len, from) = varint::get(stored).expect("a length was put here");
        &stored[from..from + len as usize]
    }

    fn is_crowded(&self) -> bool {
        self.taken >= self.slots.len() / 4 * 3
    }

    fn grow(&mut self) {
        let twice = vec![Slot { hash: 0, key: FREE, offset: 0 }; 2 * self.slots.len()];
        let mask = twice.len() - 1;
        for slot in std::mem::replace(&mut self.slots, twice) {
            if slot.key != FREE {
                let mut at = slot.hash as usize & mask;
                while self.slots[at].key != FREE {
                    at = (at + 1) & mask;
                }
                self.slots[at] = slot;
            }
        }
    }
}

/// SipHash: keys that were chosen to collide are hard to find. Always the same for the same key.
fn hash(key: &[u8]) -> u32 {
    let mut hasher = DefaultHasher::new();
    hasher.write(key);
    hasher.finish() as u32
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_later_offset_counts_for_each_key() {
        let mut random = fastrand::Rng::with_seed(3);
        let mut model = BTreeMap::new();
        let mut newest = Newest::new(1 << 30);
        for offset in 0..20_000 {
            // Short and long ones, and the empty one.
            let key = vec![random.u8(..20); random.usize(..300)];
            newest.put(&key, offset);
            model.insert(key, offset);
        }
        assert!(model.len() > FEWEST_SLOTS * 4, "{} keys: it has grown", model.len());
        for (key, offset) in &model {
            assert_eq!(newest.get(key), Some(*offset));
        }
        assert_eq!(newest.get(b"another"), None);
    }

    #[test]
    fn what_it_takes_is_what_it_was_given_and_little_more() {
        for most in [20_000, 100_000, 1_000_000] {
            let mut newest = Newest::new(most);
            let mut offset = 0;
            while !newest.is_full() {
                newest.put(format!("key-{offset}").as_bytes(), offset);
                offset += 1;
            }
            let taken = (newest.slots.len() * size_of::<Slot>() + newest.keys.len()) as u64;
            assert!((most / 3..most + 100).contains(&taken), "{taken} of {most}, {offset} keys");
        }
    }
}
