//! Memory to read into, used again and again.
//!
//! A frame is handed on as it was read, so its memory is in use until the engine has written its
//! records. Taking a fresh megabyte for every frame would cost more, in page faults, than the write
//! itself. So the memory of some older frames is remembered, and used again once they are gone.

use bytes::BytesMut;

/// Frames whose memory is remembered: one is being read, one waits, one is being written.
const REMEMBERED: usize = 3;

#[derive(Default)]
pub struct ReadBuffer {
    /// Read, and not yet cut into frames.
    pub bytes: BytesMut,
    /// Empty ends of buffers whose frames may still be in use.
    older: Vec<BytesMut>,
}

impl ReadBuffer {
    /// Makes room for `more` bytes.
    pub fn reserve(&mut self, more: usize) {
        if self.bytes.try_reclaim(more) {
            return;
        }
        let size = self.bytes.len() + more;
        let free = self.older.iter_mut().position(|older| older.try_reclaim(size));
        let mut next = match free {
            Some(at) => self.older.swap_remove(at),
            None => BytesMut::with_capacity(size),
        };
        next.extend_from_slice(&self.bytes);
        let mut before = std::mem::replace(&mut self.bytes, next);
        if self.older.len() == REMEMBERED {
            self.older.remove(0);
        }
        before.clear();
        self.older.push(before);
    }

    /// Whether it holds memory though there is nothing in it.
    pub fn is_idle(&self) -> bool {
        self.bytes.is_empty() && (self.bytes.capacity() > 0 || !self.older.is_empty())
    }

    /// Gives all memory back that holds nothing.
    pub fn rest(&mut self) {
        self.older = Vec::new();
        if self.bytes.is_empty() {
            self.bytes = BytesMut::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_once_its_frame_is_gone() {
        let mut buffer = ReadBuffer::default();
        let mut seen = Vec::new();
        for _ in 0..10 {
            buffer.reserve(1000);
            buffer.bytes.extend_from_slice(&[7; 1000]);
            let frame = buffer.bytes.split_to(900);
            seen.push(buffer.bytes.as_ptr() as usize - 900);
            drop(frame);
            buffer.bytes.clear();
        }
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 1, "one frame at a time needs one piece of memory");
    }

    #[test]
    fn a_frame_in_use_keeps_its_bytes_and_the_next_one_begins_elsewhere() {
        let mut buffer = ReadBuffer::default();
        buffer.reserve(1000);
        buffer.bytes.extend_from_slice(&[1; 900]);
        buffer.bytes.extend_from_slice(&[2; 100]);
        let frame = buffer.bytes.split_to(900);
        buffer.reserve(1000);
        buffer.bytes.extend_from_slice(&[3; 1000]);
        assert_eq!(frame, [1; 900].as_slice());
        assert_eq!(buffer.bytes[..100], [2; 100]);
        assert_eq!(buffer.bytes[100..], [3; 1000]);
    }

    #[test]
    fn an_idle_one_holds_nothing() {
        let mut buffer = ReadBuffer::default();
        assert!(!buffer.is_idle());
        for _ in 0..5 {
            buffer.reserve(1000);
            buffer.bytes.extend_from_slice(&[7; 1000]);
            let _frame = buffer.bytes.split();
        }
        assert!(buffer.is_idle());
        buffer.rest();
        assert!(!buffer.is_idle());
        assert_eq!((buffer.bytes.capacity(), buffer.older.capacity()), (0, 0));
    }
}
