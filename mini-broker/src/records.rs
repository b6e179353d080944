//! Looking into record batches: decompress, decode, find by time.
