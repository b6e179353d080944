//! What Kafka's own classes, and librdkafka, did with the same keys and records. See parity/README.md.

/// A key with its hash, and its partition for each number of partitions.
pub struct Key {
    pub bytes: Vec<u8>,
    pub hash: i32,
    pub kafka: Vec<u32>,
    /// Nothing for an empty key: librdkafka leaves that to chance.
    pub librdkafka: Option<Vec<u32>>,
}

pub const COUNTS: [u32; 8] = [2, 3, 4, 5, 6, 8, 12, 100];

pub fn keys() -> Vec<Key> {
    let lines = include_str!("../parity/keys.txt").lines().filter(|line| !line.starts_with('#'));
    lines.map(key).collect()
}

fn key(line: &str) -> Key {
    let words: Vec<&str> = line.split(' ').collect();
    let [hex, hash, kafka, librdkafka] = words[..] else { panic!("keys.txt: {line}") };
    let list = |text: &str| -> Option<Vec<u32>> {
        text.split(',').map(|number| number.parse().ok()).collect()
    };
    let digits = hex.trim_matches('-').as_bytes().chunks(2);
    let byte = |pair: &[u8]| {
        let pair = str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    };
    Key {
        bytes: digits.map(|pair| byte(pair).expect("two digits")).collect(),
        hash: hash.parse().expect("a hash"),
        kafka: list(kafka).expect("eight partitions"),
        librdkafka: list(librdkafka),
    }
}

/// A record without a key: its bytes, the partition that Kafka gave it, and if that was drawn for it, the
/// random number and the partitions that were available.
pub struct Keyless {
    pub bytes: u32,
    pub partition: u32,
    pub drawn: Option<(u32, Vec<u32>)>,
}

/// Streams of records, each with its batch size.
pub fn streams() -> Vec<(u32, Vec<Keyless>)> {
    let mut streams: Vec<(u32, Vec<Keyless>)> = Vec::new();
    for line in include_str!("../parity/sticky.txt").lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |n: usize| words[n].parse::<u32>().expect("a number");
        if words[0] == "batch" {
            streams.push((number(1), Vec::new()));
            continue;
        }
        let available =
            words.get(3).map(|list| list.split(',').map(|n| n.parse().expect("a partition")));
        let drawn = available.map(|available| (number(2), available.collect()));
        let (_, records) = streams.last_mut().expect("a batch size comes first");
        records.push(Keyless { bytes: number(0), partition: number(1), drawn });
    }
    streams
}
