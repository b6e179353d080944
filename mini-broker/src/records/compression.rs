//! The four compressions of Kafka's records, as Java and librdkafka write them.

use std::borrow::Cow;
use std::fmt;
use std::io::{Read, Write};
use std::str::FromStr;

use super::Error;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Codec {
    #[default]
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

impl Codec {
    pub const ALL: [Codec; 5] = [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];

    /// `bits`: the lowest three of a batch's attributes.
    pub fn from_attributes(bits: i16) -> Result<Self, Error> {
        usize::try_from(bits)
            .ok()
            .and_then(|bits| Self::ALL.get(bits))
            .copied()
            .ok_or(Error::Codec(bits))
    }

    pub fn attributes(self) -> i16 {
        self as i16
    }

    pub fn name(self) -> &'static str {
        match self {
            Codec::None => "none",
            Codec::Gzip => "gzip",
            Codec::Snappy => "snappy",
            Codec::Lz4 => "lz4",
            Codec::Zstd => "zstd",
        }
    }

    /// Fails where the bytes are damaged or would unpack to more than `limit` bytes.
    pub fn unpack(self, bytes: &[u8], limit: usize) -> Result<Cow<'_, [u8]>, Error> {
        let unpacked = match self {
            Codec::None => return Ok(Cow::Borrowed(bytes)),
            // A member may follow another: Java's GZIPInputStream reads on as well.
            Codec::Gzip => self.drain(flate2::read::MultiGzDecoder::new(bytes), limit),
            Codec::Snappy => unpack_snappy(bytes, limit),
            Codec::Lz4 => self.drain(lz4_flex::frame::FrameDecoder::new(bytes), limit),
            Codec::Zstd => match ruzstd::decoding::StreamingDecoder::new(bytes) {
                Ok(decoder) => self.drain(decoder, limit),
                Err(error) => Err(self.damaged(error)),
            },
        };
        unpacked.map(Cow::Owned)
    }

    /// zstd is written by ruzstd, at about the ratio of zstd's level 1.
    pub fn pack(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Codec::None => bytes.to_vec(),
            Codec::Gzip => {
                let into = Vec::with_capacity(bytes.len() / 2);
                let mut encoder =
                    flate2::write::GzEncoder::new(into, flate2::Compression::default());
                let written = encoder.write_all(bytes);
                written.and_then(|()| encoder.finish()).expect("a Vec takes every byte")
            }
            Codec::Snappy => pack_snappy(bytes),
            Codec::Lz4 => {
                // Java reads no blocks that lean on one another.
                let frame = lz4_flex::frame::FrameInfo::new()
                    .block_mode(lz4_flex::frame::BlockMode::Independent)
                    .block_size(lz4_flex::frame::BlockSize::Max64KB);
                let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(frame, Vec::new());
                encoder.write_all(bytes).expect("a Vec takes every byte");
                encoder.finish().expect("a Vec takes every byte")
            }
            Codec::Zstd => ruzstd::encoding::compress_to_vec(
                bytes,
                ruzstd::encoding::CompressionLevel::Fastest,
            ),
        }
    }

    fn drain(self, reader: impl Read, limit: usize) -> Result<Vec<u8>, Error> {
        let mut unpacked = Vec::new();
        let mut reader = reader.take(limit as u64 + 1);
        reader.read_to_end(&mut unpacked).map_err(|error| self.damaged(error))?;
        if unpacked.len() > limit {
            return Err(Error::TooLarge(limit));
        }
        Ok(unpacked)
    }

    fn damaged(self, error: impl fmt::Display) -> Error {
        Error::Unpack { codec: self, reason: error.to_string() }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Codec {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|codec| codec.name() == name);
        found.ok_or_else(|| {
            format!("`{name}` is no compression: none, gzip, snappy, lz4 or zstd is")
        })
    }
}

/// Java frames snappy in its own way, "xerial": this magic, two version numbers, then blocks, each
/// behind its length. librdkafka writes one bare block. (`snap`'s frame format is a third one.)
const XERIAL: &[u8] = b"\x82SNAPPY\0";
const XERIAL_HEADER: usize = XERIAL.len() + 8;
const XERIAL_BLOCK: usize = 32 << 10;

fn unpack_snappy(bytes: &[u8], limit: usize) -> Result<Vec<u8>, Error> {
    let mut unpacked = Vec::new();
    if !bytes.starts_with(XERIAL) {
        unpack_block(bytes, &mut unpacked, limit)?;
        return Ok(unpacked);
    }
    let cut = || Codec::Snappy.damaged("a block is cut off");
    let mut rest = bytes.get(XERIAL_HEADER..).ok_or_else(cut)?;
    while !rest.is_empty() {
        let (len, tail) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
        let (block, tail) =
            tail.split_at_checked(u32::from_be_bytes(*len) as usize).ok_or_else(cut)?;
        unpack_block(block, &mut unpacked, limit)?;
        rest = tail;
    }
    Ok(unpacked)
}

fn unpack_block(block: &[u8], into: &mut Vec<u8>, limit: usize) -> Result<(), Error> {
    let len = snap::raw::decompress_len(block).map_err(|error| Codec::Snappy.damaged(error))?;
    if len > limit - into.len() {
        return Err(Error::TooLarge(limit));
    }
    // Three bytes can stand for 64 at most: a length beyond that is a lie, do not reserve it.
    if len > block.len().saturating_mul(64) {
        return Err(Codec::Snappy.damaged("a block claims more than it can hold"));
    }
    let start = into.len();
    into.resize(start + len, 0);
    snap::raw::Decoder::new()
        .decompress(block, &mut into[start..])
        .map_err(|error| Codec::Snappy.damaged(error))?;
    Ok(())
}

fn pack_snappy(bytes: &[u8]) -> Vec<u8> {
    let mut packed = XERIAL.to_vec();
    packed.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 1]);
    for chunk in bytes.chunks(XERIAL_BLOCK) {
        let block = snap::raw::Encoder::new().compress_vec(chunk).expect("32 KiB are not too many");
        packed.extend_from_slice(&(block.len() as u32).to_be_bytes());
        packed.extend_from_slice(&block);
    }
    packed
}
