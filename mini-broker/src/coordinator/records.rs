//! The records of the metadata log, in the layout of Kafka's own (KRaft): what a cluster knows is
//! the sum of these, read from the first to the last. Kafka's `DumpLogSegments` prints them with
//! `--cluster-metadata-decoder`.

use bytes::{Buf, BufMut, TryGetError};
use uuid::Uuid;
use wire::configs::resource;

/// One fact about the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    Topic {
        name: String,
        id: Uuid,
        /// In a snapshot: the offset at which this stood in the log.
        created: Option<u64>,
    },
    Partition {
        topic: Uuid,
        index: i32,
        replicas: Vec<i32>,
        isr: Vec<i32>,
        leader: i32,
        epoch: i32,
        /// Counts every change of the partition.
        partition_epoch: i32,
    },
    /// Another in-sync set, another leader, or both. A leader that is named begins a new epoch, also
    /// if it is the same broker as before.
    PartitionChange {
        topic: Uuid,
        index: i32,
        isr: Option<Vec<i32>>,
        /// −1: there is no leader now.
        leader: Option<i32>,
    },
    /// A broker has come, or come again. It is fenced until it has caught up.
    RegisterBroker {
        id: i32,
        /// Drawn anew at each start of the broker.
        incarnation: Uuid,
        /// The offset of this record: it tells this registration from every other.
        epoch: i64,
        host: String,
        port: u16,
    },
    /// A fenced broker leads nothing and is in sync with nothing new.
    BrokerChange {
        id: i32,
        epoch: i64,
        fenced: bool,
    },
    /// A setting of a topic or of brokers; without a value it is no longer set.
    Config {
        resource: Resource,
        name: String,
        value: Option<String>,
    },
    RemoveTopic {
        id: Uuid,
    },
    ProducerIds {
        next: i64,
    },
}

/// Whose setting it is. (Kafka: `ConfigResource`.)
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    Topic(String),
    Broker(i32),
    /// What holds for every broker that has no setting of its own.
    AllBrokers,
}

/// A record that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("the record ends too early")]
    Short(#[from] TryGetError),
    #[error("a name is not UTF-8")]
    NotText,
    #[error("unknown frame version {0}")]
    Frame(u32),
    #[error("unknown record type {0}, version {1}")]
    Kind(u32, u32),
    #[error("a number takes more than five bytes")]
    Varint,
    #[error("settings of a resource of type {0} named '{1}'")]
    Resource(i8, String),
    #[error("broker {0} listens nowhere")]
    NoEndpoint(i32),
}

/// The one listener of a broker. Nothing is encrypted here.
const LISTENER: &str = "PLAINTEXT";
const PLAINTEXT: i16 = 0;

const FRAME_VERSION: u32 = 1;
const REGISTER_BROKER: u32 = 0;
const TOPIC: u32 = 2;
const PARTITION: u32 = 3;
const CONFIG: u32 = 4;
const PARTITION_CHANGE: u32 = 5;
const REMOVE_TOPIC: u32 = 9;
const PRODUCER_IDS: u32 = 15;
const BROKER_CHANGE: u32 = 17;

// Tagged fields.
const CHANGED_ISR: u32 = 0;
const CHANGED_LEADER: u32 = 1;
const CHANGED_FENCED: u32 = 0;
/// Ours, not Kafka's, which counts its tags from 0 up.
const CREATED: u32 = 10_000;

impl Record {
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let kind = match self {
            Record::Topic { .. } => TOPIC,
            Record::Partition { .. } => PARTITION,
            Record::PartitionChange { .. } => PARTITION_CHANGE,
            Record::RegisterBroker { .. } => REGISTER_BROKER,
            Record::BrokerChange { .. } => BROKER_CHANGE,
            Record::Config { .. } => CONFIG,
            Record::RemoveTopic { .. } => REMOVE_TOPIC,
            Record::ProducerIds { .. } => PRODUCER_IDS,
        };
        for number in [FRAME_VERSION, kind, 0] {
            put_varint(&mut out, number);
        }
        let mut tagged: Vec<(u32, Vec<u8>)> = Vec::new();
        match self {
            Record::Topic { name, id, created } => {
                put_text(&mut out, Some(name));
                out.put_slice(id.as_bytes());
                tagged.extend(created.map(|offset| (CREATED, offset.to_be_bytes().into())));
            }
            Record::Partition { topic, index, replicas, isr, leader, epoch, partition_epoch } => {
                out.put_i32(*index);
                out.put_slice(topic.as_bytes());
                // The last two: replicas being removed, replicas being added.
                for list in [replicas, isr, &vec![], &vec![]] {
                    put_ids(&mut out, list);
                }
                out.put_i32(*leader);
                out.put_i32(*epoch);
                out.put_i32(*partition_epoch);
            }
            Record::PartitionChange { topic, index, isr, leader } => {
                out.put_i32(*index);
                out.put_slice(topic.as_bytes());
                if let Some(isr) = isr {
                    let mut list = Vec::new();
                    put_ids(&mut list, isr);
                    tagged.push((CHANGED_ISR, list));
                }
                tagged.extend(leader.map(|leader| (CHANGED_LEADER, leader.to_be_bytes().into())));
            }
            Record::RegisterBroker { id, incarnation, epoch, host, port } => {
                out.put_i32(*id);
                out.put_slice(incarnation.as_bytes());
                out.put_i64(*epoch);
                put_varint(&mut out, 1 + 1); // one endpoint
                put_text(&mut out, Some(LISTENER));
                put_text(&mut out, Some(host));
                out.put_u16(*port);
                out.put_i16(PLAINTEXT);
                put_varint(&mut out, 0); // no tagged fields of the endpoint
                put_varint(&mut out, 1); // no features
                put_text(&mut out, None); // no rack
                out.put_u8(1); // fenced
            }
            Record::BrokerChange { id, epoch, fenced } => {
                out.put_i32(*id);
                out.put_i64(*epoch);
                let change: i8 = if *fenced { 1 } else { -1 };
                tagged.push((CHANGED_FENCED, change.to_be_bytes().into()));
            }
            Record::Config { resource, name, value } => {
                let (kind, of) = resource.kind_and_name();
                out.put_i8(kind);
                put_text(&mut out, Some(&of));
                put_text(&mut out, Some(name));
                put_text(&mut out, value.as_deref());
            }
            Record::RemoveTopic { id } => out.put_slice(id.as_bytes()),
            Record::ProducerIds { next } => {
                // The broker the block went to, and its epoch: one broker hands out all of them.
                out.put_i32(-1);
                out.put_i64(-1);
                out.put_i64(*next);
            }
        }
        put_varint(&mut out, tagged.len() as u32);
        for (tag, bytes) in tagged {
            put_varint(&mut out, tag);
            put_varint(&mut out, bytes.len() as u32);
            out.put_slice(&bytes);
        }
        out
    }

    pub fn decode(mut bytes: &[u8]) -> Result<Self, Unreadable> {
        let from = &mut bytes;
        let frame = varint(from)?;
        if frame != FRAME_VERSION {
            return Err(Unreadable::Frame(frame));
        }
        let (kind, version) = (varint(from)?, varint(from)?);
        let mut record = match (kind, version) {
            (TOPIC, 0) => {
                let (name, id) = (text(from)?.unwrap_or_default(), uuid(from)?);
                Record::Topic { name, id, created: None }
            }
            (PARTITION, 0) => {
                let (index, topic) = (from.try_get_i32()?, uuid(from)?);
                let (replicas, isr) = (ids(from)?, ids(from)?);
                let (_removing, _adding) = (ids(from)?, ids(from)?);
                let (leader, epoch) = (from.try_get_i32()?, from.try_get_i32()?);
                let partition_epoch = from.try_get_i32()?;
                Record::Partition { topic, index, replicas, isr, leader, epoch, partition_epoch }
            }
            (PARTITION_CHANGE, 0) => {
                let (index, topic) = (from.try_get_i32()?, uuid(from)?);
                Record::PartitionChange { topic, index, isr: None, leader: None }
            }
            (REGISTER_BROKER, 0) => {
                let (id, incarnation) = (from.try_get_i32()?, uuid(from)?);
                let epoch = from.try_get_i64()?;
                let mut endpoint = None;
                for _ in 1..varint(from)? {
                    let (_name, host) = (text(from)?, text(from)?.unwrap_or_default());
                    let (port, _protocol) = (from.try_get_u16()?, from.try_get_i16()?);
                    let _tagged_fields = varint(from)?;
                    endpoint.get_or_insert((host, port));
                }
                let (_no_features, _no_rack) = (varint(from)?, text(from)?);
                let _fenced = from.try_get_u8()?;
                let (host, port) = endpoint.ok_or(Unreadable::NoEndpoint(id))?;
                Record::RegisterBroker { id, incarnation, epoch, host, port }
            }
            (BROKER_CHANGE, 0) => {
                let (id, epoch) = (from.try_get_i32()?, from.try_get_i64()?);
                Record::BrokerChange { id, epoch, fenced: false }
            }
            (CONFIG, 0) => {
                let (kind, of) = (from.try_get_i8()?, text(from)?.unwrap_or_default());
                Record::Config {
                    resource: Resource::named(kind, &of).ok_or(Unreadable::Resource(kind, of))?,
                    name: text(from)?.unwrap_or_default(),
                    value: text(from)?,
                }
            }
            (REMOVE_TOPIC, 0) => Record::RemoveTopic { id: uuid(from)? },
            (PRODUCER_IDS, 0) => {
                let (_broker, _epoch) = (from.try_get_i32()?, from.try_get_i64()?);
                Record::ProducerIds { next: from.try_get_i64()? }
            }
            _ => return Err(Unreadable::Kind(kind, version)),
        };
        for _ in 0..varint(from)? {
            let (tag, len) = (varint(from)?, varint(from)? as usize);
            let mut field = split(from, len)?;
            record.take_tagged(tag, &mut field)?;
        }
        Ok(record)
    }

    /// A tagged field that is not known changes nothing.
    fn take_tagged(&mut self, tag: u32, field: &mut &[u8]) -> Result<(), Unreadable> {
        match (self, tag) {
            (Record::Topic { created, .. }, CREATED) => *created = Some(field.try_get_u64()?),
            (Record::PartitionChange { isr, .. }, CHANGED_ISR) => *isr = Some(ids(field)?),
            (Record::PartitionChange { leader, .. }, CHANGED_LEADER) => {
                *leader = Some(field.try_get_i32()?);
            }
            (Record::BrokerChange { fenced, .. }, CHANGED_FENCED) => {
                *fenced = field.try_get_i8()? > 0;
            }
            _ => {}
        }
        Ok(())
    }
}

impl Resource {
    /// The resource that a type and a name stand for in requests and records. `None` if there is no
    /// such resource, or it has no settings here.
    pub fn named(kind: i8, name: &str) -> Option<Self> {
        match kind {
            resource::TOPIC => Some(Self::Topic(name.into())),
            resource::BROKER if name.is_empty() => Some(Self::AllBrokers),
            resource::BROKER => name.parse().ok().map(Self::Broker),
            _ => None,
        }
    }

    pub fn kind_and_name(&self) -> (i8, String) {
        match self {
            Self::Topic(name) => (resource::TOPIC, name.clone()),
            Self::Broker(id) => (resource::BROKER, id.to_string()),
            Self::AllBrokers => (resource::BROKER, String::new()),
        }
    }
}

fn put_varint(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_ids(out: &mut Vec<u8>, ids: &[i32]) {
    put_varint(out, ids.len() as u32 + 1);
    ids.iter().for_each(|id| out.put_i32(*id));
}

fn put_text(out: &mut Vec<u8>, text: Option<&str>) {
    put_varint(out, text.map_or(0, |text| text.len() as u32 + 1));
    out.put_slice(text.unwrap_or_default().as_bytes());
}

fn varint(from: &mut &[u8]) -> Result<u32, Unreadable> {
    let mut number = 0;
    for shift in [0, 7, 14, 21, 28] {
        let byte = from.try_get_u8()?;
        number |= u32::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(Unreadable::Varint)
}

fn text(from: &mut &[u8]) -> Result<Option<String>, Unreadable> {
    let Some(len) = (varint(from)? as usize).checked_sub(1) else { return Ok(None) };
    String::from_utf8(split(from, len)?.to_vec()).map(Some).map_err(|_| Unreadable::NotText)
}

fn split<'a>(from: &mut &'a [u8], len: usize) -> Result<&'a [u8], TryGetError> {
    from.split_off(..len).ok_or(TryGetError { requested: len, available: from.remaining() })
}

fn uuid(from: &mut &[u8]) -> Result<Uuid, Unreadable> {
    Ok(Uuid::from_u128(from.try_get_u128()?))
}

fn ids(from: &mut &[u8]) -> Result<Vec<i32>, Unreadable> {
    // One at a time: a length that lies ends at the end of the bytes.
    let mut ids = Vec::new();
    for _ in 1..varint(from)? {
        ids.push(from.try_get_i32()?);
    }
    Ok(ids)
}

#[cfg(test)]
mod tests;
