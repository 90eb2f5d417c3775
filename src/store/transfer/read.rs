//! Reading a file, and seeing to it that every line is as it was written.

use std::io::{self, BufRead, Read};
use std::ops::Range;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::line::{Chain, FORMAT, Header, Kind, Trailer, VERSION};
use super::{Damage, TransferError};
use crate::model::{ChangeSet, Timestamp};

/// More than any header has: what has no line feed until then is something else, and need not be read to its end.
const HEADER_BYTES: u64 = 4 << 10;

/// A file that is being read.
pub(super) struct Reader<R> {
    input: R,
    chain: Chain,
    header: Header,
    /// The line read last, line feed included, and its number.
    line: Vec<u8>,
    number: u64,
    /// The revision and the time of the change read last.
    revision: u64,
    time: Timestamp,
}

/// What can be told of a header whatever its format.
#[derive(Deserialize)]
struct AnyHeader {
    header: AnyFormat,
}

#[derive(Deserialize)]
struct AnyFormat {
    format: String,
    version: u64,
}

/// What can be told of a line that is not as it should be.
#[derive(Deserialize)]
struct AnyChange {
    change: Place,
}

#[derive(Deserialize)]
struct Place {
    revision: u64,
}

impl<R: BufRead> Reader<R> {
    /// Reads the header.
    pub fn open(mut input: R) -> Result<Self, TransferError> {
        let mut line = Vec::new();
        let read = input.by_ref().take(HEADER_BYTES).read_until(b'\n', &mut line);
        read.map_err(|error| TransferError::Read { line: 1, error })?;
        let start = Kind::Header.start().as_bytes();
        if !line.starts_with(&start[..start.len().min(line.len())]) {
            return Err(TransferError::NoExport);
        }
        if line.last() != Some(&b'\n') {
            return Err(if line.len() as u64 == HEADER_BYTES {
                TransferError::NoExport
            } else {
                TransferError::Cut { line: 1 }
            });
        }
        // Before the checksum: another format may be checked in another way.
        if let Ok(AnyHeader { header }) = serde_json::from_slice(&line) {
            if header.format != FORMAT {
                return Err(TransferError::NoExport);
            }
            if header.version > VERSION {
                return Err(TransferError::TooNew { found: header.version, known: VERSION });
            }
        }
        let damaged = |damage| TransferError::Damaged { line: 1, damage };
        let mut chain = Chain::default();
        let sealed = chain.open(&line).ok_or(damaged(Damage::Checksum))?;
        let header: Header = understand(&sealed[start.len()..]).map_err(damaged)?;
        if header.from != 1 {
            return Err(damaged(Damage::Order { found: header.from, due: 1 }));
        }
        Ok(Self { input, chain, header, line, number: 1, revision: 0, time: Timestamp::default() })
    }

    /// What the header says.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The next change, and how many bytes its line has; `None` after the last, where the file ends as it should.
    pub fn next(&mut self) -> Result<Option<(ChangeSet, usize)>, TransferError> {
        if self.revision == self.header.to {
            return self.end().map(|()| None);
        }
        let due = self.revision + 1;
        let content = self.content(Kind::Change)?;
        let content = &self.line[content];
        let change: ChangeSet = understand(content).map_err(|damage| self.damaged(damage))?;
        if change.revision != due {
            return Err(self.damaged(Damage::Order { found: change.revision, due }));
        }
        if change.time < self.time {
            return Err(self.damaged(Damage::Time));
        }
        if due == self.header.to && Some(change.id) != self.header.last {
            return Err(self.damaged(Damage::Header));
        }
        if !is_written_as(&change, content) {
            return Err(TransferError::Unfamiliar { line: self.number });
        }
        (self.revision, self.time) = (due, change.time);
        Ok(Some((change, self.line.len())))
    }

    /// The trailer, and nothing after it.
    fn end(&mut self) -> Result<(), TransferError> {
        let content = self.content(Kind::Trailer)?;
        let trailer: Trailer = understand(&self.line[content]).map_err(|damage| self.damaged(damage))?;
        if trailer.changes != self.header.to {
            return Err(self.damaged(Damage::Header));
        }
        let number = self.number + 1;
        match self.input.fill_buf() {
            Ok([]) => Ok(()),
            Ok(_) => Err(TransferError::Damaged { line: number, damage: Damage::Surplus }),
            Err(error) => Err(TransferError::Read { line: number, error }),
        }
    }

    /// Reads the next line, which must be of a kind, and whole; where its content stands in it.
    fn content(&mut self, kind: Kind) -> Result<Range<usize>, TransferError> {
        self.number += 1;
        self.line.clear();
        let number = self.number;
        let read = self.input.read_until(b'\n', &mut self.line);
        read.map_err(|error| TransferError::Read { line: number, error })?;
        if self.line.last() != Some(&b'\n') {
            return Err(TransferError::Cut { line: number });
        }
        let Some(sealed) = self.chain.open(&self.line) else { return Err(self.damaged(self.misplaced())) };
        let (start, end) = (kind.start().as_bytes(), sealed.len());
        if sealed.starts_with(start) { Ok(start.len()..end) } else { Err(self.damaged(Damage::Header)) }
    }

    /// What a line whose checksum is not right may say still: that it belongs to another place.
    fn misplaced(&self) -> Damage {
        let due = self.revision + 1;
        match serde_json::from_slice(&self.line) {
            Ok(AnyChange { change }) if change.revision != due => Damage::Order { found: change.revision, due },
            _ => Damage::Checksum,
        }
    }

    fn damaged(&self, damage: Damage) -> TransferError {
        TransferError::Damaged { line: self.number, damage }
    }
}

fn understand<T: DeserializeOwned>(content: &[u8]) -> Result<T, Damage> {
    serde_json::from_slice(content).map_err(|error| Damage::Unreadable(error.to_string()))
}

/// Whether a change, written again, gives the bytes that it was read from. What is lost in reading would be lost for good.
fn is_written_as(change: &ChangeSet, bytes: &[u8]) -> bool {
    let mut rest = Compared(bytes);
    serde_json::to_writer(&mut rest, change).is_ok() && rest.0.is_empty()
}

/// Takes only what these bytes begin with.
struct Compared<'a>(&'a [u8]);

impl io::Write for Compared<'_> {
    fn write(&mut self, written: &[u8]) -> io::Result<usize> {
        self.0 = self.0.strip_prefix(written).ok_or(io::ErrorKind::InvalidData)?;
        Ok(written.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
