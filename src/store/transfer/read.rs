//! Reading a file, and seeing to it that every line is as it was written.

use std::io::{self, BufRead, Read};
use std::mem;
use std::ops::Range;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::line::{Chain, FORMAT, Header, Kind, Owner, Trailer, VERSION, VERSION_1, VERSION_2};
use super::{Damage, TransferError};
use crate::model::{Beside, ChangeSet, Timestamp, keep_secret};
use crate::store::StoreError;
use crate::store::format_1::Format1;

/// More than any header has: what has no line feed until then is something else, and need not be read to its end.
const HEADER_BYTES: u64 = 4 << 10;

/// A file that is being read.
pub(super) struct Reader<R> {
    input: R,
    chain: Chain,
    header: Header,
    /// What reads the changes of a file of version 1.
    format_1: Option<Format1>,
    /// The line read last, line feed included, and its number.
    line: Vec<u8>,
    number: u64,
    /// How much of it the checksum is made of.
    sealed: usize,
    /// Whether it was read only to see that it belongs to what comes next.
    is_ahead: bool,
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
            match header.version {
                VERSION_1..=VERSION => {}
                0 => return Err(TransferError::NoExport),
                found => return Err(TransferError::TooNew { found, known: VERSION }),
            }
        }
        let damaged = |damage| TransferError::Damaged { line: 1, damage };
        let mut chain = Chain::default();
        let sealed = chain.open(&line).ok_or(damaged(Damage::Checksum))?;
        let header: Header = understand(&sealed[start.len()..]).map_err(damaged)?;
        if header.from != 1 {
            return Err(damaged(Damage::Order { found: header.from, due: 1 }));
        }
        let (format_1, sealed) = ((header.version == VERSION_1).then(Format1::default), sealed.len());
        let (revision, time) = (0, Timestamp::default());
        Ok(Self { input, chain, header, format_1, line, number: 1, sealed, is_ahead: false, revision, time })
    }

    /// What the header says.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The next change, with what is kept beside it, and how many bytes its lines have; `None` after the last, where the file
    /// ends as it should.
    pub fn next(&mut self) -> Result<Option<(ChangeSet, usize)>, TransferError> {
        if self.revision == self.header.to {
            return self.end().map(|()| None);
        }
        let due = self.revision + 1;
        let place = self.content(Kind::Change)?;
        let content = &self.line[place.clone()];
        let read = match &mut self.format_1 {
            Some(format_1) => format_1.read(content).map_err(|error| of_format_1(content, due, error)),
            None => understand::<ChangeSet>(content),
        };
        let mut change = read.map_err(|damage| self.damaged(damage))?;
        if change.revision != due {
            return Err(self.damaged(Damage::Order { found: change.revision, due }));
        }
        if change.time < self.time {
            return Err(self.damaged(Damage::Time));
        }
        if due == self.header.to && Some(change.id) != self.header.last {
            return Err(self.damaged(Damage::Header));
        }
        // What an earlier version wrote is not always written again as it was.
        if self.header.version == VERSION && !is_written_as(&change, &self.line[place]) {
            return Err(TransferError::Unfamiliar { line: self.number });
        }
        (self.revision, self.time) = (due, change.time);
        let mut bytes = self.line.len();
        if self.format_1.is_none() {
            bytes += self.beside(&mut change)?;
            if self.header.version == VERSION_2 {
                keep_secret(&mut change.beside);
            }
        }
        Ok(Some((change, bytes)))
    }

    /// What is kept beside the change read last; the bytes of its lines. It ends before a line of another kind.
    fn beside(&mut self, change: &mut ChangeSet) -> Result<usize, TransferError> {
        let mut bytes = 0;
        loop {
            self.read()?;
            let Some(content) = self.content_of(Kind::Beside) else {
                self.is_ahead = true;
                return Ok(bytes);
            };
            let beside: Beside = understand(&self.line[content.clone()]).map_err(|damage| self.damaged(damage))?;
            if change.beside.last().is_some_and(|last| Owner::of(last) >= Owner::of(&beside)) {
                return Err(self.damaged(Damage::Repeated));
            }
            if !is_written_as(&beside, &self.line[content]) {
                return Err(TransferError::Unfamiliar { line: self.number });
            }
            change.beside.push(beside);
            bytes += self.line.len();
        }
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

    /// Where the content of the next line stands in it, which must be of this kind.
    fn content(&mut self, kind: Kind) -> Result<Range<usize>, TransferError> {
        if !mem::take(&mut self.is_ahead) {
            self.read()?;
        }
        self.content_of(kind).ok_or_else(|| self.damaged(Damage::Header))
    }

    /// Where the content of the line read last stands in it, if it is of this kind.
    fn content_of(&self, kind: Kind) -> Option<Range<usize>> {
        let start = kind.start().as_bytes();
        self.line[..self.sealed].starts_with(start).then_some(start.len()..self.sealed)
    }

    /// Reads the next line, which must be whole.
    fn read(&mut self) -> Result<(), TransferError> {
        self.number += 1;
        self.line.clear();
        let number = self.number;
        let read = self.input.read_until(b'\n', &mut self.line);
        read.map_err(|error| TransferError::Read { line: number, error })?;
        if self.line.last() != Some(&b'\n') {
            return Err(TransferError::Cut { line: number });
        }
        let Some(sealed) = self.chain.open(&self.line) else { return Err(self.damaged(self.misplaced())) };
        self.sealed = sealed.len();
        Ok(())
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

/// Why a change of version 1 cannot be read.
fn of_format_1(content: &[u8], due: u64, error: StoreError) -> Damage {
    match (serde_json::from_slice(content), error) {
        (Ok(Place { revision }), _) if revision != due => Damage::Order { found: revision, due },
        (_, StoreError::Damaged(why)) => Damage::Unreadable(why),
        (_, error) => Damage::Unreadable(error.to_string()),
    }
}

/// Whether what was read, written again, gives the bytes that it was read from. What is lost in reading would be lost for good.
fn is_written_as(read: &impl Serialize, bytes: &[u8]) -> bool {
    let mut rest = Compared(bytes);
    serde_json::to_writer(&mut rest, read).is_ok() && rest.0.is_empty()
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
