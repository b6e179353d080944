//! step_6 caught by step_6: takes a batch as whole because it is long enough, and never looks at its CRC (R1.16)
while let Some((batch, bytes)) = scan.next(&*self.dir)? {
    let _ = bytes;
    if batch.base_offset < self.log_end {
        break;
    }
    self.keep(at, &batch);
    recovery.checked += 1;
}
let end = self.segments[at].size;
if end < scan.len {
    self.dir.truncate(&scan.file, end)?;
    recovery.cut_bytes += scan.len - end;
    recovery.cut_bytes += self.remove_from(at + 1)?;
}
Ok(())
