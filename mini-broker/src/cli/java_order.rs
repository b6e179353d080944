//! The order in which Kafka's tools print topics and settings: that of a Java `HashMap`.
//!
//! It looks like none, but it is the same every time, and two listings can be compared line by line
//! only if it is kept. A map has a power of two of buckets, and is read from the first to the last;
//! within one, what was put in first comes first. (Eight names in one bucket would become a tree,
//! which is not done here.)

/// Room for how many entries a `HashMap` is made with unless told otherwise.
pub const DEFAULT_ROOM: usize = 16;

/// `items` as a map made with room for `room` gives them back, when they are put in in this order.
pub fn in_map<T>(mut items: Vec<T>, room: usize, name: impl Fn(&T) -> &str) -> Vec<T> {
    let buckets = buckets(items.len(), room) as u32;
    items.sort_by_key(|item| {
        let hash = hash(name(item)) as u32;
        (hash ^ (hash >> 16)) & (buckets - 1)
    });
    items
}

/// Room for how many entries `new HashMap<>(map)` is made with, to copy `entries` of them.
pub fn room_of_a_copy(entries: usize) -> usize {
    entries * 4 / 3 + 1
}

/// A map doubles its buckets when it is more than three quarters full.
fn buckets(entries: usize, room: usize) -> usize {
    let mut buckets = room.next_power_of_two();
    while entries * 4 > buckets * 3 {
        buckets *= 2;
    }
    buckets
}

/// `String.hashCode`.
fn hash(text: &str) -> i32 {
    text.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(unit.into()))
}

#[cfg(test)]
mod tests {
    use super::{DEFAULT_ROOM, hash, in_map};

    #[test]
    fn names_stand_as_kafkas_tool_printed_them() {
        // `kafka-topics.sh --describe` of Kafka 4.1.1; it asks for them in the order of their names.
        let printed =
            "zeta a.b alpha payments under_score orders beta-gamma-delta c1 c2".split(' ');
        let printed: Vec<&str> = printed.collect();
        let mut names = printed.clone();
        names.sort();
        assert_eq!(in_map(names, printed.len(), |name| name), printed);

        // Two more than three quarters of 16.
        let many: Vec<String> = (0..14).map(|n| n.to_string()).collect();
        let order = in_map(many, DEFAULT_ROOM, |name| name).join(" ");
        assert_eq!(order, "11 12 13 0 1 2 3 4 5 6 7 8 9 10");
    }

    #[test]
    fn strings_hash_as_in_java() {
        assert_eq!(hash(""), 0);
        assert_eq!(hash("billing"), -109_829_509);
        assert_eq!(hash("こ"), 0x3053);
    }
}
