//! One message, byte by byte: what each byte is, where it stands in the file, what it says.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use super::segment::{Segment, timestamp_type};
use super::{Failure, base_offset, unreadable};
use crate::cli::terminal::utc;
use crate::records::{Batch, Codec, HEADER_LEN, Header, Record, varint};

pub fn explain(files: &[PathBuf], offset: i64, out: &mut impl Write) -> Result<(), Failure> {
    let mut seen = Vec::new();
    for path in files.iter().filter(|path| path.extension().is_some_and(|e| e == "log")) {
        let base = base_offset(path)?;
        let mut segment = Segment::open(path).map_err(unreadable(path))?;
        let mut position = 0;
        let mut end = base;
        while let Some(header) = segment.header_at(position).map_err(unreadable(path))? {
            end = header.last_offset() + 1;
            if end > offset {
                break;
            }
            position += header.size() as u64;
        }
        if end > offset && offset >= base {
            let batch = segment.batch_at(position).map_err(unreadable(path))?;
            if let Some(batch) = batch {
                return explain_in(path, position, &batch, offset, out);
            }
        }
        seen.push(format!("{} holds offsets {base} to {}", path.display(), end - 1));
    }
    Err(Failure::new(match seen.is_empty() {
        true => "--explain reads .log files, and none is among --files".to_owned(),
        false => format!("no message has offset {offset}: {}", seen.join(", ")),
    }))
}

fn explain_in(
    path: &Path,
    position: u64,
    batch: &Batch<'_>,
    offset: i64,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let records = batch.records().map_err(io::Error::from)?;
    let mut found = None;
    for (index, record) in records.iter().enumerate() {
        let record = record.map_err(io::Error::from)?;
        if record.offset == offset {
            found = Some(index);
            break;
        }
    }
    let Some(index) = found else {
        return Err(Failure::new(format!(
            "the batch at position {position} of {} spans offset {offset} but does not hold it \
             any more: compaction took it",
            path.display()
        )));
    };
    writeln!(
        out,
        "Offset {offset} in {}: record {} of {} in the batch at position {position}",
        path.display(),
        index + 1,
        batch.header.count
    )?;
    let mut rows = header_rows(position, batch)?;
    rows.extend(record_rows(position, batch, index)?);
    print(&rows, out)?;
    Ok(())
}

/// One line of an explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    Heading(String),
    Note(String),
    Bytes {
        /// Where in the file; with a `+`, where in what the batch unpacks to.
        place: String,
        hex: String,
        field: String,
        says: String,
    },
}

/// Every byte of a batch's header. The batch stands at this position of its file.
pub fn header_rows(position: u64, batch: &Batch<'_>) -> io::Result<Vec<Row>> {
    let mut table = Table::default();
    table.heading("The batch: a header of 61 bytes, once for all its records");
    explain_header(&mut table, position, batch)?;
    Ok(table.rows)
}

/// Every byte of one of its records, counted from 0.
pub fn record_rows(position: u64, batch: &Batch<'_>, index: usize) -> io::Result<Vec<Row>> {
    let mut table = Table::default();
    let header = &batch.header;
    let records = batch.records()?;
    let Some(record) = records.iter().nth(index).transpose()? else { return Ok(Vec::new()) };
    let body = position + HEADER_LEN as u64;
    let start = match header.codec()? {
        Codec::None => {
            table.heading("The record");
            Place::File(body + record.position as u64)
        }
        codec => {
            let packed = batch.bytes.len() - HEADER_LEN;
            table.heading(&format!(
                "The record, in what {packed} bytes of {codec} at {body:08x} unpack to: {} bytes; \
                 + counts from there",
                records.body().len()
            ));
            Place::Unpacked(record.position as u64)
        }
    };
    if index > 0 {
        let before = format!("the {index} records before this one");
        table.note(&format!("({} bytes: {before})", record.position));
    }
    let bytes = &records.body()[record.position..record.position + record.size];
    explain_record(&mut table, start, bytes, header, &record)?;
    Ok(table.rows)
}

/// Columns for a screen; headings are bold on one.
fn print(rows: &[Row], out: &mut impl Write) -> io::Result<()> {
    let painted = io::stdout().is_terminal();
    let (bold, plain) = if painted { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    let mut named = false;
    for row in rows {
        match row {
            Row::Heading(text) => {
                writeln!(out, "\n{bold}{text}{plain}\n")?;
                if !named {
                    writeln!(out, "{:>9}  {:<23}  {:<22}  says", "position", "bytes", "field")?;
                }
                named = true;
            }
            Row::Note(text) => writeln!(out, "{:>9}  {text}", "")?,
            Row::Bytes { place, hex, field, says } => {
                writeln!(out, "{place:>9}  {hex:<23}  {field:<22}  {says}")?;
            }
        }
    }
    Ok(())
}

fn explain_header(table: &mut Table, position: u64, batch: &Batch<'_>) -> io::Result<()> {
    let header = &batch.header;
    let codec = header.codec()?;
    let yes_no = |yes: bool, what: &str| if yes { what.to_owned() } else { format!("not {what}") };
    let none = |number: i64, what: &str| match number {
        -1 => format!("-1: {what}"),
        number => number.to_string(),
    };
    let base_time = match header.delete_horizon() {
        None => utc(header.base_timestamp, '.'),
        Some(ms) => format!("tombstones may go after {}", utc(ms, '.')),
    };
    let crc = match batch.crc_matches() {
        true => "right: CRC-32C of all bytes that follow",
        false => "WRONG: the bytes that follow have another CRC-32C",
    };
    let last_offset = format!("the last record has offset {}", header.last_offset());
    let sequence = match header.base_sequence {
        -1 => "-1: no idempotent producer".to_owned(),
        first => format!("{first}: the producer's number of the first record"),
    };
    let attributes = format!(
        "compression {codec}, {}, {}, {}",
        timestamp_type(header),
        yes_no(header.is_transactional(), "transactional"),
        yes_no(header.is_control(), "control")
    );
    let fields = [
        (8, "base offset", format!("{}: the first record's offset", header.base_offset)),
        (4, "batch length", format!("{} bytes follow this field", header.batch_length)),
        (4, "partition leader epoch", none(header.leader_epoch.into(), "none")),
        (1, "magic", format!("{}: the format of this batch", header.magic)),
        (4, "CRC", format!("{} is {crc}", header.crc)),
        (2, "attributes", attributes),
        (4, "last offset delta", format!("+{}: {last_offset}", header.last_offset_delta)),
        (8, "base timestamp", format!("{}: {base_time}", header.base_timestamp)),
        (
            8,
            "max timestamp",
            format!("{}: {}", header.max_timestamp, utc(header.max_timestamp, '.')),
        ),
        (8, "producer id", none(header.producer_id, "no idempotent producer")),
        (2, "producer epoch", none(header.producer_epoch.into(), "no idempotent producer")),
        (4, "base sequence", sequence),
        (4, "record count", header.count.to_string()),
    ];
    let mut at = 0;
    for (len, name, says) in fields {
        table.row(Place::File(position + at as u64), &batch.bytes[at..at + len], name, &says);
        at += len;
    }
    Ok(())
}

fn explain_record(
    table: &mut Table,
    start: Place,
    bytes: &[u8],
    header: &Header,
    record: &Record<'_>,
) -> io::Result<()> {
    let mut walk = Walk { table, start, bytes, at: 0 };
    walk.varint("length", |length| format!("{length} bytes follow"))?;
    walk.fixed(1, "attributes", "unused");
    let time = record.timestamp;
    walk.varint("timestamp delta", |delta| match header.is_log_append_time() {
        true => format!("{delta:+}: not used, the time is that of the append"),
        false => format!("{delta:+} to the base timestamp: {time}, {}", utc(time, '.')),
    })?;
    walk.varint("offset delta", |delta| {
        format!("{delta:+} to the base offset: {}", record.offset)
    })?;
    walk.sized("key", record.key)?;
    walk.sized("value", record.value)?;
    walk.varint("number of headers", |count| count.to_string())?;
    for (index, (name, value)) in record.headers.iter().enumerate() {
        walk.sized(&format!("header {} name", index + 1), Some(name))?;
        walk.sized(&format!("header {} value", index + 1), value)?;
    }
    Ok(())
}

/// Goes through a record's bytes; each call takes the next field.
struct Walk<'a> {
    table: &'a mut Table,
    start: Place,
    bytes: &'a [u8],
    at: usize,
}

impl Walk<'_> {
    fn fixed(&mut self, len: usize, name: &str, says: &str) {
        let (from, to) = (self.at, self.at + len);
        self.at = to;
        self.table.row(self.start.plus(from), &self.bytes[from..to], name, says);
    }

    fn varint(&mut self, name: &str, says: impl FnOnce(i64) -> String) -> io::Result<()> {
        let cut = || io::Error::new(io::ErrorKind::InvalidData, format!("no varint for {name}"));
        let (value, len) = varint::get(&self.bytes[self.at..]).ok_or_else(cut)?;
        self.fixed(len, name, &says(value));
        Ok(())
    }

    /// A length and as many bytes, eight in a row of the table.
    fn sized(&mut self, name: &str, bytes: Option<&[u8]>) -> io::Result<()> {
        let Some(bytes) = bytes else {
            return self.varint(&format!("{name} length"), |_| format!("-1: no {name}"));
        };
        self.varint(&format!("{name} length"), |len| len.to_string())?;
        let from = self.at;
        self.at += bytes.len();
        let rows = rows(bytes);
        // A long field is shown by its first rows and its last one.
        let hidden = match rows.len() {
            0..=ROWS_SHOWN => 0..0,
            all => ROWS_SHOWN - 2..all - 1,
        };
        let mut at = from;
        for (index, row) in rows.iter().enumerate() {
            let name = if index == 0 { name } else { "" };
            if hidden.contains(&index) {
                if index == hidden.start {
                    let bytes: usize = rows[hidden.clone()].iter().map(|row| row.len()).sum();
                    self.table.note(&format!("({bytes} more bytes of the same field)"));
                }
            } else {
                self.table.row(self.start.plus(at), row, name, &text(row));
            }
            at += row.len();
        }
        Ok(())
    }
}

const IN_A_ROW: usize = 8;
const ROWS_SHOWN: usize = 12;

/// Up to eight bytes in a row, and in UTF-8 text no character torn in two.
fn rows(bytes: &[u8]) -> Vec<&[u8]> {
    let text = std::str::from_utf8(bytes);
    let mut rest = bytes;
    let mut rows = Vec::new();
    while !rest.is_empty() {
        let mut len = rest.len().min(IN_A_ROW);
        if let Ok(text) = text {
            let start = bytes.len() - rest.len();
            len = (1..=len).rev().find(|len| text.is_char_boundary(start + len)).unwrap_or(len);
        }
        let (row, tail) = rest.split_at(len);
        rows.push(row);
        rest = tail;
    }
    rows
}

/// The bytes as text, with `.` for what cannot be printed.
fn text(bytes: &[u8]) -> String {
    let printable = |c: char| if c.is_control() || c == '\u{fffd}' { '.' } else { c };
    format!("\"{}\"", String::from_utf8_lossy(bytes).chars().map(printable).collect::<String>())
}

#[derive(Clone, Copy)]
enum Place {
    File(u64),
    Unpacked(u64),
}

impl Place {
    fn plus(self, bytes: usize) -> Place {
        match self {
            Place::File(at) => Place::File(at + bytes as u64),
            Place::Unpacked(at) => Place::Unpacked(at + bytes as u64),
        }
    }
}

/// Rows of `position  bytes  field  meaning`.
#[derive(Default)]
struct Table {
    rows: Vec<Row>,
}

impl Table {
    fn heading(&mut self, text: &str) {
        self.rows.push(Row::Heading(text.to_owned()));
    }

    fn note(&mut self, text: &str) {
        self.rows.push(Row::Note(text.to_owned()));
    }

    fn row(&mut self, place: Place, bytes: &[u8], field: &str, says: &str) {
        let place = match place {
            Place::File(at) => format!("{at:08x}"),
            Place::Unpacked(at) => format!("+{at:08x}"),
        };
        let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let (hex, field, says) = (hex.join(" "), field.to_owned(), says.to_owned());
        self.rows.push(Row::Bytes { place, hex, field, says });
    }
}
