//! A `.log` file, batch by batch; or a snapshot of the metadata log, which has the same form.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::{Args, Complaints, Failure, base_offset, metadata, unreadable};
use crate::coordinator::snapshot;
use crate::records::{self, Batch, HEADER_LEN, Header, Record};

/// Reads one batch at a time: a segment may be larger than memory.
pub struct Segment {
    file: File,
    end: u64,
    buffer: Vec<u8>,
}

impl Segment {
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let end = file.metadata()?.len();
        Ok(Segment { file, end, buffer: Vec::new() })
    }

    pub fn end(&self) -> u64 {
        self.end
    }

    /// The batch at `position`; `None` where the file ends before a whole one.
    pub fn batch_at(&mut self, position: u64) -> io::Result<Option<Batch<'_>>> {
        let Some(header) = self.header_at(position)? else { return Ok(None) };
        self.read_at(position, header.size())?;
        Ok(Some(Batch { header, bytes: &self.buffer }))
    }

    /// Only the header, where a whole batch follows it.
    pub fn header_at(&mut self, position: u64) -> io::Result<Option<Header>> {
        let left = self.end.saturating_sub(position);
        self.read_at(position, left.min(HEADER_LEN as u64) as usize)?;
        match Header::read(&self.buffer) {
            Ok(header) => Ok((header.size() as u64 <= left).then_some(header)),
            Err(records::Error::Short { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn read_at(&mut self, position: u64, len: usize) -> io::Result<()> {
        self.buffer.resize(len, 0);
        self.file.seek(SeekFrom::Start(position))?;
        self.file.read_exact(&mut self.buffer)
    }
}

pub fn dump(
    path: &Path,
    args: &Args,
    out: &mut impl Write,
    complaints: &mut Complaints,
) -> Result<(), Failure> {
    writeln!(out, "{}", begins(path)?)?;
    let mut segment = Segment::open(path).map_err(unreadable(path))?;
    let end = args.max_bytes.map_or(segment.end(), |max| max.min(segment.end()));
    segment.end = end;
    let deep = args.deep_iteration || args.print_data_log || args.cluster_metadata_decoder;
    let mut position = 0;
    let mut last_offset = None;
    loop {
        let at = |error: io::Error| {
            Failure::new(format!("{}, at position {position}: {error}", path.display()))
        };
        let Some(batch) = segment.batch_at(position).map_err(at)? else { break };
        print_batch(&batch, position, out)?;
        if deep {
            let records = batch.records().map_err(io::Error::from).map_err(at)?;
            for record in records.iter() {
                let record = record.map_err(io::Error::from).map_err(at)?;
                if let Some(last) = last_offset.filter(|last| record.offset != last + 1) {
                    complaints.not_consecutive(path, last, record.offset);
                }
                last_offset = Some(record.offset);
                print_record(&batch.header, &record, args, out)?;
            }
        }
        position += batch.bytes.len() as u64;
    }
    if position < end && args.max_bytes.is_none() {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        writeln!(out, "Found {} invalid bytes at the end of {name}", end - position)?;
    }
    Ok(())
}

/// What a file's name says of it.
fn begins(path: &Path) -> Result<String, Failure> {
    if path.extension().is_none_or(|extension| extension != "checkpoint") {
        return Ok(format!("Log starting offset: {}", base_offset(path)?));
    }
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if name == "bootstrap.checkpoint" {
        return Ok("KRaft bootstrap snapshot".into()); // what Kafka's StorageTool leaves
    }
    let (end, epoch) = snapshot::id_of(name).ok_or_else(|| {
        let what = "expected an offset of 20 digits, a dash, an epoch of 10 and `.checkpoint`";
        Failure::new(format!("{}: this is no name of a snapshot: {what}", path.display()))
    })?;
    Ok(format!("Snapshot end offset: {end}, epoch: {epoch}"))
}

fn print_batch(batch: &Batch<'_>, position: u64, out: &mut impl Write) -> io::Result<()> {
    let header = &batch.header;
    let horizon = match header.delete_horizon() {
        None => "OptionalLong.empty".to_owned(),
        Some(ms) => format!("OptionalLong[{ms}]"),
    };
    writeln!(
        out,
        "baseOffset: {} lastOffset: {} count: {} baseSequence: {} lastSequence: {} producerId: {} \
         producerEpoch: {} partitionLeaderEpoch: {} isTransactional: {} isControl: {} \
         deleteHorizonMs: {horizon} position: {position} {}: {} size: {} magic: {} \
         compresscodec: {} crc: {} isvalid: {}",
        header.base_offset,
        header.last_offset(),
        header.count,
        header.base_sequence,
        header.sequence(header.last_offset_delta),
        header.producer_id,
        header.producer_epoch,
        header.leader_epoch,
        header.is_transactional(),
        header.is_control(),
        timestamp_type(header),
        header.max_timestamp,
        batch.bytes.len(),
        header.magic,
        header.codec()?,
        header.crc,
        batch.crc_matches(),
    )
}

fn print_record(
    header: &Header,
    record: &Record<'_>,
    args: &Args,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut mark = "| ";
    if !args.skip_record_metadata {
        let size = |bytes: Option<&[u8]>| bytes.map_or(-1, |bytes| bytes.len() as i64);
        let names = record.headers.iter().map(|(name, _)| String::from_utf8_lossy(name));
        write!(
            out,
            "| offset: {} {}: {} keySize: {} valueSize: {} sequence: {} headerKeys: [{}]",
            record.offset,
            timestamp_type(header),
            record.timestamp,
            size(record.key),
            size(record.value),
            record.sequence,
            names.collect::<Vec<_>>().join(","),
        )?;
        if header.is_control() {
            write!(out, " {}", control(record))?;
        }
        mark = " ";
    }
    if args.cluster_metadata_decoder && !header.is_control() {
        write!(out, " payload: {}", metadata::said(record))?;
    } else if args.print_data_log && !header.is_control() {
        if let Some(key) = record.key {
            write!(out, "{mark}key: {}", String::from_utf8_lossy(key))?;
        }
        if let Some(value) = record.value {
            write!(out, " payload: {}", String::from_utf8_lossy(value))?;
        }
    }
    writeln!(out)
}

pub fn timestamp_type(header: &Header) -> &'static str {
    if header.is_log_append_time() { "LogAppendTime" } else { "CreateTime" }
}

/// A control record's key is a version and a type; the value begins with a version. Of a transaction's end it
/// goes on with the coordinator's epoch, of a snapshot's header with a time. `ControlRecordType` in Kafka.
fn control(record: &Record<'_>) -> String {
    let number = |bytes: Option<&[u8]>, from: usize| {
        bytes.and_then(|b| b.get(from..from + 2)).map(|b| i16::from_be_bytes([b[0], b[1]]))
    };
    let kind = number(record.key, 2).unwrap_or(-1);
    let version = number(record.value, 0);
    let epoch = record.value.and_then(|value| value.get(2..6)?.try_into().ok());
    let time = record.value.and_then(|value| value.get(2..10)?.try_into().ok());
    let names = [
        "ABORT",
        "COMMIT",
        "LEADER_CHANGE",
        "SNAPSHOT_HEADER",
        "SNAPSHOT_FOOTER",
        "KRAFT_VERSION",
        "KRAFT_VOTERS",
    ];
    let name = usize::try_from(kind).ok().and_then(|kind| names.get(kind)).unwrap_or(&"UNKNOWN");
    match (kind, version, epoch, time) {
        (0 | 1, _, Some(epoch), _) => {
            format!("endTxnMarker: {name} coordinatorEpoch: {}", i32::from_be_bytes(epoch))
        }
        (snapshot::HEADER, Some(version), _, Some(time)) => format!(
            "SnapshotHeader {{\"version\":{version},\"lastContainedLogTimestamp\":{}}}",
            i64::from_be_bytes(time)
        ),
        (snapshot::FOOTER, Some(version), ..) => {
            format!("SnapshotFooter {{\"version\":{version}}}")
        }
        _ => format!("controlType: {name}({kind})"),
    }
}
