//! How many bytes are held for clients at once: of large answers, from when they are encoded until they were taken, and of bodies,
//! from when they come until they were read.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::{self, Write};
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;

use super::problem::Refusal;
use crate::model::Code;

/// An answer up to this size does not count.
pub(super) const SMALL_BYTES: usize = 256 << 10;
/// How much of an answer is handed over at once.
pub(super) const PIECE_BYTES: usize = 64 << 10;

/// Counts the bytes that are held.
#[derive(Debug)]
pub(super) struct HeldBytes {
    held: AtomicUsize,
    most: usize,
}

/// The bytes of one answer or body, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Held {
    of: Arc<HeldBytes>,
    bytes: usize,
}

impl HeldBytes {
    /// Room for `most` bytes.
    pub fn new(most: usize) -> Self {
        Self { held: AtomicUsize::new(0), most }
    }

    /// Refuses a large answer where there is no room left, before anything is begun.
    ///
    /// # Errors
    /// 503 with `Retry-After`.
    pub fn check(&self) -> Result<(), Refusal> {
        if self.held.load(Ordering::Relaxed) < self.most { Ok(()) } else { Err(self.full()) }
    }

    /// Counts an answer that is there already, and must not be lost for want of room.
    pub fn count(self: &Arc<Self>, bytes: usize) -> Held {
        self.held.fetch_add(bytes, Ordering::Relaxed);
        Held { of: self.clone(), bytes }
    }

    /// Takes in an answer while it is written.
    pub fn writer(self: &Arc<Self>) -> HeldWriter {
        HeldWriter { pieces: VecDeque::new(), last: Vec::new(), bytes: 0, held: self.count(0) }
    }

    /// What is said where there is no room.
    pub fn full(&self) -> Refusal {
        let detail = format!(
            "{} bytes of answers wait for clients that do not take them, the most that are held; ask again, or raise \
             --max-held-bytes",
            self.most
        );
        Refusal::retried(Code::Unavailable, detail)
    }
}

impl Held {
    /// Counts more bytes; `false` where there is no room for them.
    pub fn grow(&mut self, bytes: usize) -> bool {
        let before = self.of.held.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
        before + bytes <= self.of.most
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.of.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// An answer that is being written, counted as it grows. Writing fails where there is no room.
pub(super) struct HeldWriter {
    // In pieces: a buffer that grows is copied, and holds twice as much meanwhile.
    pieces: VecDeque<Bytes>,
    last: Vec<u8>,
    bytes: usize,
    held: Held,
}

impl HeldWriter {
    /// What was written, and what it holds.
    pub fn finish(mut self) -> (Pieces, Held) {
        self.pieces.push_back(self.last.into());
        (Pieces { left: self.bytes, pieces: self.pieces }, self.held)
    }
}

impl Write for HeldWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.last.len() == PIECE_BYTES {
            self.pieces.push_back(mem::replace(&mut self.last, Vec::with_capacity(PIECE_BYTES)).into());
        }
        let taken = bytes.len().min(PIECE_BYTES - self.last.len());
        let lacking = (self.bytes + taken).saturating_sub(SMALL_BYTES + self.held.bytes);
        if lacking > 0 && !self.held.grow(lacking.next_multiple_of(SMALL_BYTES)) {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        self.last.extend_from_slice(&bytes[..taken]);
        self.bytes += taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The body of an answer, in pieces.
#[derive(Debug)]
pub(super) struct Pieces {
    pieces: VecDeque<Bytes>,
    /// How many bytes were not handed over yet.
    left: usize,
}

impl Pieces {
    /// The text that the pieces make.
    pub fn into_text(self) -> String {
        String::from_utf8(Vec::from(self.pieces).concat()).expect("only text is answered")
    }
}

impl From<String> for Pieces {
    fn from(text: String) -> Self {
        Self { left: text.len(), pieces: [text.into()].into() }
    }
}

impl MessageBody for Pieces {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.left as u64)
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        let this = self.get_mut();
        let Some(first) = this.pieces.front_mut() else { return Poll::Ready(None) };
        // The framework copies what it is handed.
        let piece = first.split_to(first.len().min(PIECE_BYTES));
        if first.is_empty() {
            this.pieces.pop_front();
        }
        this.left -= piece.len();
        Poll::Ready(Some(Ok(piece)))
    }
}
