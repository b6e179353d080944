//! The least that can be done with a produce request: check the batch, append it to a file, answer.
//!
//! No offsets index, no fetch, no settings, no fence: this is the ceiling that the broker's figures
//! are held against. Run it, and point a producer at it:
//!
//! ```text
//! cargo run --release -p mini-broker --example bare_store -- 9192 /tmp/bare-store
//! ```
//!
//! Every topic has four partitions. One thread serves one client, and never at the same time as
//! another writes the same file: the files stand behind one lock, as the broker's stand behind one
//! task.

#![allow(clippy::disallowed_methods, reason = "a program of threads, to compare with")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use bytes::BytesMut;
use wire::api_versions::{ApiVersion, ApiVersionsResponse};
use wire::metadata::{
    MetadataRequest, MetadataResponse, MetadataResponseBroker, MetadataResponsePartition,
    MetadataResponseTopic,
};
use wire::produce::{
    PartitionProduceResponse, ProduceRequest, ProduceResponse, TopicProduceResponse,
};
use wire::{Listener, Records, Request, Response, decode_request_on, encode_response};

const PARTITIONS: i32 = 4;
const CRC: usize = 17;
const CHECKED_FROM: usize = 21;
const LAST_OFFSET_DELTA: usize = 23;

fn main() -> io::Result<()> {
    let mut args = std::env::args().skip(1);
    let port = args.next().and_then(|port| port.parse().ok()).unwrap_or(9192);
    let dir = PathBuf::from(args.next().unwrap_or_else(|| "bare-store".into()));
    std::fs::create_dir_all(&dir)?;
    let store = Arc::new(Mutex::new(Store { dir, files: BTreeMap::new() }));
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    println!("listening on {}", listener.local_addr()?);
    for client in listener.incoming() {
        let (client, store) = (client?, Arc::clone(&store));
        std::thread::spawn(move || {
            if let Err(error) = serve(client, port, &store) {
                eprintln!("a client went: {error}");
            }
        });
    }
    Ok(())
}

/// One file a partition, with the offset that comes next.
struct Store {
    dir: PathBuf,
    files: BTreeMap<(String, i32), (File, i64)>,
}

impl Store {
    fn append(&mut self, topic: &str, index: i32, batch: &[u8]) -> io::Result<i64> {
        let (file, next) = match self.files.entry((topic.into(), index)) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(new) => {
                let path = self.dir.join(format!("{topic}-{index}.log"));
                new.insert((File::options().create(true).append(true).open(path)?, 0))
            }
        };
        file.write_all(batch)?;
        let base = *next;
        *next += i64::from(number(batch, LAST_OFFSET_DELTA)) + 1;
        Ok(base)
    }
}

fn serve(mut client: TcpStream, port: u16, store: &Mutex<Store>) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut buffer = BytesMut::new();
    loop {
        let mut length = [0; 4];
        client.read_exact(&mut length)?;
        // The memory of the last frame is free again, and is used for this one.
        buffer.resize(u32::from_be_bytes(length) as usize, 0);
        client.read_exact(&mut buffer)?;
        let (header, request) =
            decode_request_on(Listener::Broker, buffer.split()).map_err(io::Error::other)?;
        let response = match request {
            Request::Produce(request) => match produce(request, store)? {
                Some(response) => response.into(),
                None => continue,
            },
            Request::Metadata(request) => metadata(request, port).into(),
            Request::ApiVersions(_) => api_versions().into(),
            other => return Err(io::Error::other(format!("not answered here: {other:?}"))),
        };
        let response: Response = response;
        client.write_all(&encode_response(&header, &response).bytes)?;
    }
}

fn produce(request: ProduceRequest, store: &Mutex<Store>) -> io::Result<Option<ProduceResponse>> {
    let mut responses = Vec::new();
    for topic in request.topic_data {
        let mut partitions = Vec::new();
        for partition in topic.partition_data {
            let index = partition.index;
            let Records::Here(batch) = partition.records else { continue };
            if crc32c::crc32c(&batch[CHECKED_FROM..]) != number(&batch, CRC) as u32 {
                return Err(io::Error::other("a batch's checksum is wrong"));
            }
            let mut store = store.lock().expect("no thread panics with the store");
            let base_offset = store.append(&topic.name, index, &batch)?;
            partitions.push(PartitionProduceResponse { index, base_offset, ..Default::default() });
        }
        responses.push(TopicProduceResponse { name: topic.name, partition_responses: partitions });
    }
    Ok((request.acks != 0).then_some(ProduceResponse { responses, ..Default::default() }))
}

fn metadata(request: MetadataRequest, port: u16) -> MetadataResponse {
    let partition = |partition_index| MetadataResponsePartition {
        partition_index,
        leader_id: 1,
        replica_nodes: vec![1],
        isr_nodes: vec![1],
        ..Default::default()
    };
    let topics = request.topics.unwrap_or_default().into_iter();
    MetadataResponse {
        brokers: vec![MetadataResponseBroker {
            node_id: 1,
            host: "127.0.0.1".into(),
            port: port.into(),
            rack: None,
        }],
        controller_id: 1,
        topics: topics
            .map(|topic| MetadataResponseTopic {
                name: topic.name,
                partitions: (0..PARTITIONS).map(partition).collect(),
                ..Default::default()
            })
            .collect(),
        ..Default::default()
    }
}

/// Only three of these are answered. But clients judge by the whole list: one that sees no Fetch
/// sends its records in a format that is long gone.
fn api_versions() -> ApiVersionsResponse {
    let api_keys = Listener::Broker.apis().map(|range| ApiVersion {
        api_key: range.key,
        min_version: range.min,
        max_version: range.max,
    });
    ApiVersionsResponse { api_keys: api_keys.collect(), ..Default::default() }
}

fn number(batch: &[u8], at: usize) -> i32 {
    i32::from_be_bytes(batch[at..at + 4].try_into().expect("four bytes"))
}
