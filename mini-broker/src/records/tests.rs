//! Plain data, round trips on seeded data, and bytes cut or flipped everywhere.

use super::*;

const NO_HEADERS: [(&[u8], Option<&[u8]>); 0] = [];

fn three(codec: Codec) -> bytes::BytesMut {
    let mut builder = Builder::new(codec);
    builder.push(1_000, Some(b"a"), Some(b"hello"), NO_HEADERS.into_iter());
    builder.push(1_020, None, Some(b""), [(&b"h"[..], Some(&b"v"[..])), (b"n", None)].into_iter());
    builder.push(1_010, Some(b""), None, NO_HEADERS.into_iter());
    builder.finish().unwrap()
}

#[test]
fn varints_go_out_and_in() {
    for (value, bytes) in [
        (0, &[0x00][..]),
        (-1, &[0x01]),
        (1, &[0x02]),
        (63, &[0x7e]),
        (-64, &[0x7f]),
        (64, &[0x80, 0x01]),
        (300, &[0xd8, 0x04]),
        (i64::MAX, &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
        (i64::MIN, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
    ] {
        let mut out = Vec::new();
        varint::put(&mut out, value);
        assert_eq!(out, bytes, "{value}");
        assert_eq!(varint::get(bytes), Some((value, bytes.len())));
        assert_eq!(varint::len(value), bytes.len(), "{value}");
    }
    assert_eq!(varint::get(&[]), None);
    assert_eq!(varint::get(&[0x80]), None);
    assert_eq!(varint::get(&[0xff; 11]), None);
}

#[test]
fn a_built_batch_reads_back_under_every_codec() {
    for codec in Codec::ALL {
        let bytes = three(codec);
        let batch = Batch::read(&bytes).unwrap();
        assert!(batch.crc_matches(), "{codec}");
        assert_eq!(batch.header.codec().unwrap(), codec);
        assert_eq!((batch.header.base_timestamp, batch.header.max_timestamp), (1_000, 1_020));
        let records = batch.records().unwrap();
        let records: Vec<_> = records.iter().collect::<Result<_, _>>().unwrap();
        assert_eq!(records.len(), 3);
        assert_eq!((records[0].key, records[0].value), (Some(&b"a"[..]), Some(&b"hello"[..])));
        assert_eq!((records[1].key, records[1].value), (None, Some(&b""[..])));
        let headers: Vec<_> = records[1].headers.iter().collect();
        assert_eq!(headers, [(&b"h"[..], Some(&b"v"[..])), (b"n", None)]);
        assert_eq!((records[2].key, records[2].value), (Some(&b""[..]), None));
        let times: Vec<_> = records.iter().map(|r| (r.offset, r.timestamp)).collect();
        assert_eq!(times, [(0, 1_000), (1, 1_020), (2, 1_010)]);
    }
}

#[test]
fn a_time_finds_its_record() {
    for codec in Codec::ALL {
        let bytes = three(codec);
        assert_eq!(offset_at_or_after(&bytes, 0).unwrap(), Some((0, 1_000)));
        assert_eq!(offset_at_or_after(&bytes, 1_001).unwrap(), Some((1, 1_020)));
        assert_eq!(offset_at_or_after(&bytes, 1_021).unwrap(), None);
        assert_eq!(offset_of_max_timestamp(&bytes).unwrap(), Some((1, 1_020)));
    }
}

#[test]
fn offsets_count_from_the_base_that_the_log_wrote() {
    let mut bytes = three(Codec::None);
    bytes[..8].copy_from_slice(&70i64.to_be_bytes());
    assert_eq!(offset_at_or_after(&bytes, 1_005).unwrap(), Some((71, 1_020)));
    assert!(Batch::read(&bytes).unwrap().crc_matches(), "the base offset stands outside the CRC");
}

#[test]
fn log_append_time_is_every_records_time() {
    let mut bytes = three(Codec::None);
    bytes[22] |= 1 << 3;
    bytes[35..43].copy_from_slice(&9_000i64.to_be_bytes());
    assert_eq!(offset_at_or_after(&bytes, 5_000).unwrap(), Some((0, 9_000)));
}

#[test]
fn seeded_bodies_survive_every_codec() {
    let mut random = fastrand::Rng::with_seed(11);
    for size in [0, 1, 100, 32 << 10, (32 << 10) + 1, 70_000, 300_000] {
        // Words that repeat, with noise between: what compressors see in practice.
        let bytes: Vec<u8> = (0..size)
            .map(|i| if random.u8(..4) == 0 { random.u8(..) } else { i as u8 % 20 })
            .collect();
        for codec in Codec::ALL {
            let packed = codec.pack(&bytes);
            assert!(codec.unpack(&packed, size).unwrap() == bytes, "{codec} {size}");
            if size > 0 && codec != Codec::None {
                assert!(
                    matches!(codec.unpack(&packed, size - 1), Err(Error::TooLarge(_))),
                    "{codec} {size}"
                );
            }
        }
    }
}

#[test]
fn bare_snappy_is_read_too() {
    let packed = snap::raw::Encoder::new().compress_vec(b"as librdkafka writes it").unwrap();
    assert_eq!(&*Codec::Snappy.unpack(&packed, 100).unwrap(), b"as librdkafka writes it");
}

#[test]
fn a_length_that_lies_reserves_nothing() {
    // Four bytes that claim 4 GiB.
    let claim = [0xff, 0xff, 0xff, 0xff, 0x0f, 0x00];
    assert!(Codec::Snappy.unpack(&claim, usize::MAX).is_err());
}

#[test]
fn batches_stop_before_one_that_is_cut_off() {
    let one = three(Codec::None);
    let two = [&one[..], &one[..]].concat();
    assert_eq!(batches(&two).count(), 2);
    for cut in one.len()..two.len() {
        assert_eq!(batches(&two[..cut]).filter(Result::is_ok).count(), 1, "cut at {cut}");
        assert!(batches(&two[..cut]).all(|batch| batch.is_ok()), "cut at {cut}");
    }
}

#[test]
fn no_cut_and_no_flip_panics() {
    let mut random = fastrand::Rng::with_seed(5);
    for codec in Codec::ALL {
        let whole = three(codec);
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << random.u8(..8);
            for batch in batches(&bytes).flatten() {
                assert!(
                    at < ATTRIBUTES_START || !batch.crc_matches(),
                    "{codec}: flip at {at} unseen"
                );
                let _ = batch.records().map(|records| records.iter().filter(Result::is_ok).count());
            }
            let _ = offset_at_or_after(&whole[..at], 0);
        }
    }
}

const ATTRIBUTES_START: usize = header::ATTRIBUTES;
