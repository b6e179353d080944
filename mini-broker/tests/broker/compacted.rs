//! What Apache Kafka's cleaner leaves of a log, recorded in the folder `compacted`, and what ours
//! leaves of the same bytes.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use mini_broker::broker::compact::{Compacted, Folder, Plan, Sealed, run, swap};
use mini_broker::records::{self, Batch, Codec};

/// Files in memory.
#[derive(Clone, Default)]
pub struct InMemory(pub BTreeMap<String, Vec<u8>>);

impl Folder for InMemory {
    fn read_at(&mut self, file: &str, position: u64, into: &mut [u8]) -> io::Result<usize> {
        let rest = &self.0[file][position as usize..];
        let read = rest.len().min(into.len());
        into[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }

    fn create(&mut self, file: &str) -> io::Result<()> {
        self.0.insert(file.into(), Vec::new());
        Ok(())
    }

    fn append(&mut self, file: &str, bytes: &[u8]) -> io::Result<()> {
        self.0.get_mut(file).expect("created before").extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self, file: &str) -> io::Result<()> {
        assert!(self.0.contains_key(file));
        Ok(())
    }

    fn remove(&mut self, file: &str) -> io::Result<()> {
        self.0.remove(file).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// The `.log` files of a recorded partition, and its sealed segments.
fn recorded(folder: &Path) -> (InMemory, Vec<Sealed>) {
    let mut files = BTreeMap::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        files.insert(name, fs::read(&path).unwrap());
    }
    let bases: Vec<u64> = files.keys().map(|name| name[..20].parse().unwrap()).collect();
    let sealed = bases.windows(2).zip(files.values()).map(|(pair, bytes)| Sealed {
        base: pair[0],
        end: pair[1],
        size: bytes.len() as u64,
    });
    let sealed = sealed.collect();
    (InMemory(files), sealed)
}

/// All batches of the segments that are sealed, one behind the other.
fn sealed_bytes(files: &InMemory, below: u64) -> Vec<u8> {
    let sealed = files.0.iter().filter(|(name, _)| name[..20].parse::<u64>().unwrap() < below);
    sealed.flat_map(|(_, bytes)| bytes.clone()).collect()
}

/// What stands in the segments after a pass.
pub fn result(files: &InMemory, plan: &Plan, pass: &Compacted) -> Vec<u8> {
    let mut bytes = Vec::new();
    for segment in &plan.segments {
        let group = pass.groups.iter().find(|group| group.segments.contains(segment));
        match group {
            None => bytes.extend(&files.0[&format!("{:020}.log", segment.base)]),
            Some(group) if group.base() == segment.base => {
                bytes.extend(&files.0[&swap::cleaned(segment.base, "log")]);
            }
            Some(_) => {}
        }
    }
    bytes
}

const TOPICS: [&str; 7] = ["none", "gzip", "snappy", "lz4", "zstd", "keyless", "appended"];

#[test]
fn what_is_left_is_what_kafka_leaves() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broker/compacted");
    let (mut tombstones, mut horizons, mut headers_only) = (0, 0, 0);
    for topic in TOPICS {
        let mut cleaned_to = 0;
        for round in [1, 2] {
            let at = |what: &str| root.join(topic).join(format!("{round}-{what}"));
            let (mut files, segments) = recorded(&at("before"));
            let end = fs::read_to_string(at("cleaned-to")).unwrap().trim().parse().unwrap();
            let kafkas = sealed_bytes(&recorded(&at("after")).0, end);
            // When Kafka did it, its result says: `delete.retention.ms` was 0.
            let horizons_left = records::batches(&kafkas).flatten();
            let now = horizons_left.filter_map(|batch| batch.header.delete_horizon()).max();
            let plan = Plan {
                segments,
                dirty_from: cleaned_to,
                now_ms: now.expect("a tombstone") as u64,
                delete_retention_ms: 0,
                segment_bytes: 1 << 30,
                index_interval_bytes: 4096,
                keys_bytes: 1 << 20,
            };

            let pass = run(&mut files, &plan).unwrap();

            assert_eq!((pass.cleaned_to, pass.unreadable), (end, 0), "{topic}, round {round}");
            compare(topic, &result(&files, &plan, &pass), &kafkas);
            cleaned_to = end;
            for batch in records::batches(&kafkas).flatten() {
                let values = batch.records().unwrap();
                tombstones += values.iter().flatten().filter(|r| r.value.is_none()).count();
                horizons += usize::from(batch.header.delete_horizon().is_some());
                headers_only += usize::from(batch.header.count == 0);
            }
        }
    }
    // The data shows what it is there to show.
    assert!(
        tombstones > 30 && horizons > 30 && headers_only == 2,
        "{tombstones} {horizons} {headers_only}"
    );
}

/// Byte for byte. What was compressed anew may differ in its bytes, so there what is in it counts.
fn compare(topic: &str, ours: &[u8], kafkas: &[u8]) {
    let (mut ours, mut kafkas) = (records::batches(ours), records::batches(kafkas));
    loop {
        let (ours, kafkas) = match (ours.next(), kafkas.next()) {
            (None, None) => return,
            (Some(Ok(ours)), Some(Ok(kafkas))) => (ours, kafkas),
            (ours, kafkas) => panic!("{topic}: ours {ours:?}\n Kafka's {kafkas:?}"),
        };
        if ours.bytes == kafkas.bytes {
            continue;
        }
        assert_ne!(
            kafkas.header.codec().unwrap(),
            Codec::None,
            "{topic}: ours {ours:?}\n Kafka's {kafkas:?}"
        );
        assert!(ours.crc_matches(), "{topic}");
        let unpacked = |batch: &Batch| batch.records().unwrap().body().to_vec();
        assert_eq!(unpacked(&ours), unpacked(&kafkas), "{topic}");
        let mut header = ours.header;
        (header.crc, header.batch_length) = (kafkas.header.crc, kafkas.header.batch_length);
        assert_eq!(header, kafkas.header, "{topic}");
    }
}
