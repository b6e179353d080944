//! Messages that stand alone, behind two bytes of version: what consumers of a group write for each
//! other, and the records of `__consumer_offsets`.
//!
//! Bytes after the last field are left alone, as Kafka's readers do. What is read is a copy: unlike
//! records on their way to the log, these messages are small and are kept.

use bytes::BytesMut;

use crate::primitives::{Field, Frame, Malformed, Message, Problem, Sink, Version, Write};

const NUMBER: Version = Version { number: 0, flexible: false, nullable: false };

/// The version in front, whatever follows.
pub fn version(bytes: &[u8]) -> Result<i16, Malformed> {
    i16::read(&mut Frame::new(bytes.into()), NUMBER)
        .map_err(|malformed| malformed.inside("version"))
}

/// Reads a message whose version must be one of the table's.
pub fn read<M: Message>(bytes: &[u8]) -> Result<M, Malformed> {
    read_as(bytes, |version| version)
}

/// The same of a message that only ever grows at its end: of a version that is newer than the table's
/// last, the fields of the last are read.
pub fn read_newer<M: Message>(bytes: &[u8]) -> Result<M, Malformed> {
    read_as(bytes, |version| version.min(*M::VERSIONS.end()))
}

/// The same, where only the fields of the table's first version are wanted.
pub fn read_first<M: Message>(bytes: &[u8]) -> Result<M, Malformed> {
    read_as(bytes, |version| version.min(*M::VERSIONS.start()))
}

fn read_as<M: Message>(bytes: &[u8], choose: impl Fn(i16) -> i16) -> Result<M, Malformed> {
    let mut frame = Frame::new(bytes.into());
    let version = i16::read(&mut frame, NUMBER)
        .map(choose)
        .map_err(|malformed| malformed.inside("version").inside(M::NAME))?;
    if !M::VERSIONS.contains(&version) {
        let (min, max) = (*M::VERSIONS.start(), *M::VERSIONS.end());
        let malformed = frame.malformed(Problem::Version { version, min, max });
        return Err(malformed.inside("version").inside(M::NAME));
    }
    M::read(&mut frame, Version::of::<M>(version)).map_err(|malformed| malformed.inside(M::NAME))
}

/// # Panics
/// If the table has no such version.
pub fn write<M: Message>(message: &M, version: i16) -> BytesMut {
    assert!(M::VERSIONS.contains(&version), "no table has version {version} of {}", M::NAME);
    let mut sink = Write::default();
    sink.put(&version.to_be_bytes());
    message.write(&mut sink, Version::of::<M>(version));
    sink.bytes
}
