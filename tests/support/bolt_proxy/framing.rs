//! Bolt 4.4 on the wire, as far as the proxy needs it: chunks, the tag of a message, the text of a query.

use std::io::{self, Read};

/// The tags of messages.
pub mod tag {
    pub const GOODBYE: u8 = 0x02;
    pub const RESET: u8 = 0x0F;
    pub const RUN: u8 = 0x10;
    pub const BEGIN: u8 = 0x11;
    pub const COMMIT: u8 = 0x12;
    pub const ROLLBACK: u8 = 0x13;
    pub const DISCARD: u8 = 0x2F;
    pub const PULL: u8 = 0x3F;
    pub const RECORD: u8 = 0x71;
    pub const FAILURE: u8 = 0x7F;
}

/// How long the client's side of the handshake is: a magic number and four versions.
pub const HANDSHAKE: usize = 20;
/// How long the answer to it is: one version.
pub const VERSION: usize = 4;

/// A whole message.
#[derive(Debug)]
pub struct Message {
    /// As it was sent: every chunk with its length, and the empty chunk that ends it.
    pub bytes: Vec<u8>,
    /// Its chunks put together.
    payload: Vec<u8>,
}

impl Message {
    /// Reads the next message; `None` where the connection ended before it.
    pub fn read(from: &mut impl Read) -> io::Result<Option<Self>> {
        let (mut bytes, mut payload) = (Vec::new(), Vec::new());
        loop {
            let mut length = [0; 2];
            match from.read_exact(&mut length) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && bytes.is_empty() => return Ok(None),
                read => read?,
            }
            let length_of_chunk = usize::from(u16::from_be_bytes(length));
            // An empty chunk before a message keeps the connection alive, and is no part of it.
            if length_of_chunk == 0 && payload.is_empty() {
                continue;
            }
            bytes.extend_from_slice(&length);
            if length_of_chunk == 0 {
                return Ok(Some(Self { bytes, payload }));
            }
            let mut chunk = vec![0; length_of_chunk];
            from.read_exact(&mut chunk)?;
            bytes.extend_from_slice(&chunk);
            payload.extend_from_slice(&chunk);
        }
    }

    /// `ROLLBACK`
    pub fn rollback() -> Self {
        Self::of(vec![0xB0, tag::ROLLBACK])
    }

    /// `FAILURE` with this code.
    pub fn failure(code: &str) -> Self {
        let mut payload = vec![0xB1, tag::FAILURE, 0xA2];
        for text in ["code", code, "message", "the proxy's script says so"] {
            // Eight bits for the length, whatever it is.
            payload.extend([0xD0, u8::try_from(text.len()).expect("a code is short")]);
            payload.extend_from_slice(text.as_bytes());
        }
        Self::of(payload)
    }

    fn of(payload: Vec<u8>) -> Self {
        let length = u16::try_from(payload.len()).expect("it fits into one chunk").to_be_bytes();
        Self { bytes: [&length, payload.as_slice(), &[0, 0]].concat(), payload }
    }

    /// What kind of message it is.
    pub fn tag(&self) -> u8 {
        self.payload.get(1).copied().unwrap_or_default()
    }

    /// Whether it ends the answer to a request: all do but `RECORD`.
    pub fn is_summary(&self) -> bool {
        self.tag() != tag::RECORD
    }

    /// The text of the query, where it is a `RUN`.
    pub fn query(&self) -> Option<String> {
        if self.tag() != tag::RUN {
            return None;
        }
        let rest = &self.payload[2..];
        let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte));
        let (length, start) = match *rest.first()? {
            short @ 0x80..=0x8F => (usize::from(short & 0x0F), 1),
            0xD0 => (number(rest.get(1..2)?), 2),
            0xD1 => (number(rest.get(1..3)?), 3),
            0xD2 => (number(rest.get(1..5)?), 5),
            _ => return None,
        };
        Some(String::from_utf8_lossy(rest.get(start..start + length)?).into_owned())
    }
}
