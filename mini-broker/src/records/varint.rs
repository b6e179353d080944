//! Zigzag varints: small numbers, also small negative ones, in few bytes.

/// Appends `value` in 1 to 10 bytes.
pub fn put(into: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        into.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    into.push(rest as u8);
}

/// Value and bytes read; `None` if the bytes end or no varint of at most ten bytes stands there.
pub fn get(bytes: &[u8]) -> Option<(i64, usize)> {
    let mut raw = 0u64;
    for (index, &byte) in bytes.iter().take(10).enumerate() {
        // The tenth byte has room for one bit.
        if index == 9 && byte > 1 {
            return None;
        }
        raw |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some(((raw >> 1) as i64 ^ -((raw & 1) as i64), index + 1));
        }
    }
    None
}

/// Bytes that `put` takes for `value`.
pub fn len(value: i64) -> usize {
    let raw = ((value << 1) ^ (value >> 63)) as u64;
    (64 - (raw | 1).leading_zeros() as usize).div_ceil(7)
}
