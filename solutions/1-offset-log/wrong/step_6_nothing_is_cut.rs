//! step_6 caught by step_6: stops at the damage but leaves it in the file, where the next append lands behind it (R1.16 R1.17)
while let Some((batch, bytes)) = scan.next(&*self.dir)? {
    let crc = crc32c::crc32c(&bytes[crate::Batch::CRC_FROM..]);
    if crc != batch.crc || batch.base_offset < self.log_end {
        break;
    }
    self.keep(at, &batch);
    recovery.checked += 1;
}
let end = self.segments[at].size;
if end < scan.len {
    recovery.cut_bytes += scan.len - end;
    recovery.cut_bytes += self.remove_from(at + 1)?;
}
Ok(())
