//! step_6 caught by step_6: removes the damaged segment too, with what was whole in it (R1.16)
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
    self.dir.truncate(&scan.file, end)?;
    recovery.cut_bytes += scan.len - end;
    recovery.cut_bytes += self.remove_from(at)?;
}
Ok(())
