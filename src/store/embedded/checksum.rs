//! Checksums of what stands in columns, as records have theirs: what a disk returns is not always what was written to it.

use std::io;

use crc32fast::Hasher;
use serde::Serialize;

/// The CRC-32 of a value as JSON.
pub(super) fn checksum(value: &impl Serialize) -> u32 {
    let mut summed = Summed(Hasher::new());
    serde_json::to_writer(&mut summed, value).expect("what a history holds has a JSON form");
    summed.0.finalize()
}

/// A row that is not what its checksum was made of.
#[derive(Debug, thiserror::Error)]
#[error("it does not match its checksum")]
pub(super) struct Mismatch;

struct Summed(Hasher);

impl io::Write for Summed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
