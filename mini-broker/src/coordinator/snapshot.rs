//! Snapshots of the metadata log: all that is known below an offset, so that the log before it may go.
//! In KRaft's form (KIP-630): a file `END-EPOCH.checkpoint` beside the segments, of record batches
//! between a header and a footer. Kafka's `DumpLogSegments --cluster-metadata-decoder` prints it.

use bytes::{BufMut, Bytes, BytesMut};

use super::Cluster;
use super::log::{EPOCH, control_type, records};
use crate::node::Files;
use crate::records::{Batch, Builder, Codec};

/// Kafka's numbers for the first and the last record (`ControlRecordType`).
pub const HEADER: i16 = 3;
pub const FOOTER: i16 = 4;

/// Records of one batch at most.
const BATCH: usize = 1000;

/// All that is known below an offset of the log.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The offset behind the last record that it stands for.
    pub end: u64,
    /// The file's content.
    pub bytes: Bytes,
}

impl Snapshot {
    pub fn of(cluster: &Cluster, end: u64, now_ms: u64) -> Self {
        let mut bytes = BytesMut::new();
        let mut offset = 0;
        let mut put = |mut builder: Builder| {
            let count = builder.count();
            let Some(mut batch) = builder.finish() else { return };
            batch[0..8].copy_from_slice(&i64::from(offset).to_be_bytes());
            batch[12..16].copy_from_slice(&EPOCH.to_be_bytes());
            bytes.extend_from_slice(&batch);
            offset += count;
        };
        let mut time = vec![0, 0]; // the record's version
        time.put_u64(now_ms);
        time.put_u8(0); // no tagged fields
        put(control(now_ms, HEADER, &time));
        for records in Cluster::default().towards(cluster).chunks(BATCH) {
            let mut builder = Builder::new(Codec::None);
            for record in records {
                push(&mut builder, now_ms, None, &record.encode());
            }
            put(builder);
        }
        put(control(now_ms, FOOTER, &[0, 0, 0]));
        Self { end, bytes: bytes.freeze() }
    }

    /// The newest one in the metadata log's directory. The error is a sentence that names the file.
    pub fn newest(files: &dyn Files, dir: &str) -> Result<Option<(Self, Cluster)>, String> {
        let names = files.names(dir).map_err(|error| error.to_string())?;
        let newest = names.into_iter().filter_map(|name| Some((end_of(&name)?, name))).max();
        let Some((end, name)) = newest else { return Ok(None) };
        let told = |why: String| format!("the snapshot {name}: {why}");
        let bytes =
            files.bytes(&format!("{dir}/{name}")).map_err(|error| told(error.to_string()))?;
        let bytes = Bytes::from(bytes);
        let cluster = read(&bytes).map_err(|why| {
            told(format!(
                "{why}. Put an undamaged copy of the file in its place; nothing was touched"
            ))
        })?;
        Ok(Some((Self { end, bytes }, cluster)))
    }

    pub fn file(&self) -> String {
        format!("{:020}-{EPOCH:010}.checkpoint", self.end)
    }
}

/// How the name of a snapshot that is being written ends.
pub const PART: &str = ".checkpoint.part";

/// Where the log goes on behind a snapshot with this file name; `None`: it is not one.
pub fn end_of(file: &str) -> Option<u64> {
    id_of(file).map(|(end, _)| end)
}

/// That, and the epoch in which the last record was written that it stands for.
pub fn id_of(file: &str) -> Option<(u64, u32)> {
    let (end, epoch) = file.strip_suffix(".checkpoint")?.split_once('-')?;
    let digits =
        |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    (digits(end, 20) && digits(epoch, 10)).then_some(())?;
    Some((end.parse().ok()?, epoch.parse().ok()?))
}

/// What a snapshot says. The error is a sentence: it is whole, with its footer, or it does not count.
pub fn read(mut bytes: &[u8]) -> Result<Cluster, String> {
    let mut cluster = Cluster::default();
    let len = bytes.len();
    let mut last = None;
    while !bytes.is_empty() {
        let at = len - bytes.len();
        let told = |why: String| format!("at byte {at} of {len}: {why}");
        let batch = Batch::read(bytes).map_err(|error| told(error.to_string()))?;
        if !batch.crc_matches() {
            return Err(told("the checksum of a batch is wrong".into()));
        }
        let control = control_type(&batch).map_err(told)?;
        let expected = match last {
            None => control == Some(HEADER),
            Some(_) => control.is_none() || control == Some(FOOTER),
        };
        if !expected || last == Some(Some(FOOTER)) {
            return Err(told(format!("control record {control:?} is out of its place")));
        }
        if control.is_none() {
            for (offset, record) in records(batch.bytes).map_err(told)?.0 {
                cluster.apply(offset, &record);
            }
        }
        last = Some(control);
        bytes = &bytes[batch.bytes.len()..];
    }
    match last {
        Some(Some(FOOTER)) => Ok(cluster),
        _ => Err(format!("it ends after {len} bytes without its footer")),
    }
}

/// A batch of one control record of this kind.
fn control(now_ms: u64, kind: i16, value: &[u8]) -> Builder {
    let mut builder = Builder::new(Codec::None).control();
    let mut key = vec![0, 0]; // the key's version
    key.put_i16(kind);
    push(&mut builder, now_ms, Some(&key), value);
    builder
}

fn push(builder: &mut Builder, now_ms: u64, key: Option<&[u8]>, value: &[u8]) {
    let none = std::iter::empty::<(&[u8], Option<&[u8]>)>();
    builder.push(now_ms as i64, key, Some(value), none);
}
