//! Messages made up from a seed, with the help of the tables themselves: a [`Source`] that answers
//! every question of a table with something random.

#![allow(dead_code, reason = "each test file uses a part of it")]

use bytes::BytesMut;
use wire::primitives::{Field, Sink, Source, Version, Width};
use wire::{
    ApiRange, Gap, Malformed, Request, RequestHeader, Response, SUPPORTED, decode_request,
    decode_response, encode_request, encode_response,
};

/// The seed of this run: `SEED`, or always the same. Every failure prints it.
pub fn seed() -> u64 {
    std::env::var("SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(9092)
}

/// Every API with every version its table reads.
pub fn every_version() -> impl Iterator<Item = (&'static ApiRange, i16)> {
    SUPPORTED
        .iter()
        .flat_map(|range| (range.min_read..=range.max).map(move |version| (range, version)))
}

/// The tag of the fields that are ours and not Kafka's.
const OUR_TAG: u32 = 10_000;

/// A source of made-up fields.
pub struct Invented {
    pub rng: fastrand::Rng,
    /// The most elements an array has, and the most characters a string.
    pub most: usize,
}

impl Invented {
    pub fn new(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let most = rng.usize(0..5);
        Invented { rng, most }
    }

    fn some(&mut self, v: Version) -> Option<usize> {
        let null = v.nullable && self.rng.u8(0..4) == 0;
        (!null).then(|| self.rng.usize(0..=self.most))
    }
}

impl Source for Invented {
    /// Small numbers as often as large ones, and the ends of the range.
    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let mut bytes = [0; N];
        match self.rng.u8(0..8) {
            0 => {}
            1 => bytes = [0xff; N],
            2 => bytes[0] = 0x80,
            3..=5 => bytes[N - 1] = self.rng.u8(..),
            _ => bytes.fill_with(|| self.rng.u8(..)),
        }
        Ok(bytes)
    }

    fn length(&mut self, _: Width, v: Version) -> Result<Option<usize>, Malformed> {
        // Now and then one whose varint has two bytes.
        let factor = if self.rng.u8(0..16) == 0 { 100 } else { 1 };
        Ok(self.some(v).map(|length| length * factor))
    }

    fn count(&mut self, _: usize, v: Version) -> Result<Option<usize>, Malformed> {
        Ok(self.some(v))
    }

    fn room(&self, count: usize, _: usize) -> usize {
        count
    }

    fn text(&mut self, length: usize) -> Result<String, Malformed> {
        let letters = ['a', 'Z', '-', '0', '"', '{', 'é', '語', '🦀', '\0'];
        Ok((0..length).map(|_| letters[self.rng.usize(..letters.len())]).collect())
    }

    fn blob(&mut self, length: usize) -> Result<BytesMut, Malformed> {
        Ok((0..length).map(|_| self.rng.u8(..)).collect())
    }

    fn tagged(
        &mut self,
        field: &mut impl FnMut(&mut Self, u32) -> Result<bool, Malformed>,
    ) -> Result<(), Malformed> {
        for tag in (0..4).chain([OUR_TAG]) {
            if self.rng.bool() {
                field(self, tag)?;
            }
        }
        Ok(())
    }

    fn finish(&self) -> Result<(), Malformed> {
        Ok(())
    }
}

/// A sink that tells one lie.
#[derive(Default)]
pub struct Saboteur {
    pub sink: wire::primitives::Write,
    /// How many lengths and counts have been written.
    pub lengths: usize,
    /// How many lists of tagged fields have been written.
    pub tags: usize,
    pub lie: Option<(usize, Lie)>,
    /// Whether the moment for the lie came.
    pub told: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Lie {
    /// Null in place of an empty field that cannot be null.
    Null,
    /// This length in place of the true one.
    Length(i32),
    /// One more than there is.
    OneTooMany,
    /// A tagged field nobody knows.
    UnknownTag,
}

impl Sink for Saboteur {
    fn put(&mut self, bytes: &[u8]) {
        self.sink.put(bytes);
    }

    fn gap(&mut self, slot: u32, len: u32) {
        self.sink.gap(slot, len);
    }

    fn length(&mut self, length: Option<usize>, width: Width, v: Version) {
        let here = self.lie.filter(|(at, _)| *at == self.lengths).map(|(_, lie)| lie);
        self.lengths += 1;
        let wrong = match here {
            Some(Lie::Null) if length == Some(0) && !v.nullable => -1,
            Some(Lie::Length(wrong)) => wrong,
            Some(Lie::OneTooMany) => length.unwrap_or(0) as i32 + 1,
            _ => return self.sink.length(length, width, v),
        };
        self.told = true;
        match width {
            _ if v.flexible => self.sink.varint((wrong as u32).wrapping_add(1)),
            Width::Two => {
                let wrong = wrong.min(i16::MAX.into()) as i16;
                self.sink.put(&wrong.to_be_bytes());
            }
            Width::Four => self.sink.put(&wrong.to_be_bytes()),
        }
    }

    fn tags(&mut self, count: u32) {
        let here = self.lie == Some((self.tags, Lie::UnknownTag));
        self.tags += 1;
        if !here {
            return self.sink.tags(count);
        }
        self.told = true;
        self.sink.tags(count + 1);
        self.sink.varint(1000);
        self.sink.varint(3);
        self.sink.put(b"new");
    }

    /// The lie may be inside, and is then part of the field's size.
    fn tagged(&mut self, tag: u32, field: &impl Field, v: Version) {
        let before = std::mem::take(&mut self.sink);
        field.write(self, v);
        let inside = std::mem::replace(&mut self.sink, before);
        self.sink.varint(tag);
        self.sink.varint(inside.bytes.len() as u32);
        self.sink.put(&inside.bytes);
    }
}

/// What an encoded answer looks like once its gaps are filled.
pub fn filled(bytes: &[u8], gaps: &[Gap], fill: impl Fn(&Gap) -> Vec<u8>) -> Vec<u8> {
    let mut whole = Vec::new();
    let mut from = 0;
    for gap in gaps {
        whole.extend(&bytes[from..gap.at]);
        whole.extend(fill(gap));
        from = gap.at;
    }
    whole.extend(&bytes[from..]);
    whole
}

/// Hexadecimal as the tests write it: with blanks and line breaks.
pub fn hex(text: &str) -> BytesMut {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(|digit| (digit as char).to_digit(16).expect("a hexadecimal digit") as u8)
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

pub fn header(api_key: i16, api_version: i16, client_id: &str) -> RequestHeader {
    RequestHeader { api_key, api_version, correlation_id: 7, client_id: Some(client_id.into()) }
}

/// The frame of `text`, whose first four bytes are its length.
pub fn frame(text: &str) -> (BytesMut, BytesMut) {
    let bytes = hex(text);
    let inner = bytes[4..].into();
    assert_eq!(bytes[..4], (bytes.len() as u32 - 4).to_be_bytes(), "the length written down");
    (bytes, inner)
}

#[track_caller]
pub fn request(header: RequestHeader, request: impl Into<Request>, text: &str) {
    let (bytes, inner) = frame(text);
    let request = request.into();
    assert_eq!(encode_request(&header, &request), bytes);
    assert_eq!(decode_request(inner), Ok((header, request)));
}

#[track_caller]
pub fn response(header: RequestHeader, response: impl Into<Response>, text: &str) {
    let (bytes, inner) = frame(text);
    let response = response.into();
    assert_eq!(encode_response(&header, &response).bytes, bytes);
    assert_eq!(decode_response(header.api_key, header.api_version, inner), Ok((7, response)));
}
