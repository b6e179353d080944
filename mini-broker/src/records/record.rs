//! The records of one batch, one by one.

use std::borrow::Cow;

use super::{Error, Header, varint};

/// The unpacked records of a batch.
pub struct Records<'a> {
    header: Header,
    body: Cow<'a, [u8]>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<'a> {
    pub offset: i64,
    pub timestamp: i64,
    pub sequence: i32,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    pub headers: Headers<'a>,
    /// Where the record begins in the unpacked body, and its bytes with its length field.
    pub position: usize,
    pub size: usize,
    /// Its bytes from its offset on: what does not change when its time is told relative to another.
    pub from_offset_on: &'a [u8],
}

impl<'a> Records<'a> {
    pub(super) fn new(header: Header, body: Cow<'a, [u8]>) -> Self {
        Records { header, body }
    }

    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Ends after the header's count, or at the first record that cannot be read.
    pub fn iter(&self) -> impl Iterator<Item = Result<Record<'_>, Error>> + Clone {
        let mut position = 0;
        let mut index = 0;
        std::iter::from_fn(move || {
            if index >= self.header.count {
                return None;
            }
            let read = read(&self.header, &self.body, position);
            let item = read.map_err(|what| Error::Record {
                base_offset: self.header.base_offset,
                index,
                what,
            });
            match &item {
                Ok(record) => position += record.size,
                Err(_) => index = self.header.count - 1,
            }
            index += 1;
            Some(item)
        })
    }
}

fn read<'a>(header: &Header, body: &'a [u8], position: usize) -> Result<Record<'a>, &'static str> {
    let mut outer = Reader { rest: &body[position..] };
    let length = outer.varint("its length is no varint")?;
    let length = usize::try_from(length).map_err(|_| "its length is negative")?;
    let fields = outer.take(length, "it is longer than the batch")?;
    let size = body.len() - position - outer.rest.len();

    let mut fields = Reader { rest: fields };
    fields.take(1, "no attributes")?;
    let timestamp_delta = fields.varint("no timestamp delta")?;
    let from_offset_on = fields.rest;
    let offset_delta = fields.varint("no offset delta")?;
    let offset_delta =
        i32::try_from(offset_delta).map_err(|_| "its offset delta is no 32-bit number")?;
    let key = fields.bytes("its key is longer than the record")?;
    let value = fields.bytes("its value is longer than the record")?;
    let count = fields.varint("no number of headers")?;
    let count = usize::try_from(count).map_err(|_| "its number of headers is negative")?;
    let headers = Headers { count, bytes: fields.rest };
    for _ in 0..count {
        fields.header()?;
    }
    if !fields.rest.is_empty() {
        return Err("bytes are left after its headers");
    }
    Ok(Record {
        offset: header.base_offset.wrapping_add(offset_delta.into()),
        timestamp: match header.is_log_append_time() {
            true => header.max_timestamp,
            false => header.base_timestamp.wrapping_add(timestamp_delta),
        },
        sequence: header.sequence(offset_delta),
        key,
        value,
        headers,
        position,
        size,
        from_offset_on,
    })
}

/// The headers of a record: looked at when asked for, so that a batch full of tiny headers takes no
/// more memory than its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Headers<'a> {
    count: usize,
    bytes: &'a [u8],
}

impl<'a> Headers<'a> {
    pub fn len(&self) -> usize {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Name and value of each. They were walked through when the record was read.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + use<'a> {
        let mut reader = Reader { rest: self.bytes };
        (0..self.count).map_while(move |_| reader.header().ok())
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize, what: &'static str) -> Result<&'a [u8], &'static str> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(what)?;
        self.rest = rest;
        Ok(taken)
    }

    fn varint(&mut self, what: &'static str) -> Result<i64, &'static str> {
        let (value, len) = varint::get(self.rest).ok_or(what)?;
        self.rest = &self.rest[len..];
        Ok(value)
    }

    /// A length, −1 for none, and that many bytes.
    fn bytes(&mut self, what: &'static str) -> Result<Option<&'a [u8]>, &'static str> {
        match self.varint(what)? {
            -1 => Ok(None),
            len => self.take(usize::try_from(len).map_err(|_| what)?, what).map(Some),
        }
    }
    fn header(&mut self) -> Result<(&'a [u8], Option<&'a [u8]>), &'static str> {
        let name = self.bytes("a header's name is longer than the record")?;
        let name = name.ok_or("a header has no name")?;
        Ok((name, self.bytes("a header's value is longer than the record")?))
    }
}
