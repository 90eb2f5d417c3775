//! A gate between the driver and the database, for questions: it never lets more of an answer through at once than may be held.
//!
//! The driver reads a whole row before it gives it, and as many rows as it asked for before it gives the first. A row that is
//! too large is answered here with a failure instead. Where many rows together are too large, the gate says that there are
//! more, and lets the rest through when the driver asks for that. It listens on loopback only, and hands on what it gets
//! there: who connects to it has to prove to the database who they are, as with the database itself.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The code of a row that is too large.
pub(super) const TOO_LARGE: &str = "Mortise.RowTooLarge";
/// How much is let through before the driver has to ask for more, but for a single row. What it makes of a number of one byte
/// takes about a hundred.
const EXCHANGE_BYTES: usize = 256 << 10;
/// What the database chooses of the versions of the protocol that it was offered.
const VERSION_BYTES: usize = 4;
/// SUCCESS {has_more: true}
const MORE: &[u8] = b"\x00\x0d\xb1\x70\xa1\x88has_more\xc3\x00\x00";
/// The signatures of messages, in their second byte.
const PULL: u8 = 0x3f;
const RECORD: u8 = 0x71;
/// The length of a chunk.
const HEADER_BYTES: usize = 2;
/// How much is read at once.
const READ_BYTES: usize = 16 << 10;

/// A gate that is open until it is dropped.
pub(super) struct Gate {
    address: SocketAddr,
    row_bytes: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Gate {
    /// Opens a gate before the database at `database`, which is `host:port`.
    ///
    /// # Errors
    /// Where nothing can be listened on.
    pub async fn open(database: String) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let row_bytes = Arc::new(AtomicUsize::new(usize::MAX));
        let most = row_bytes.clone();
        let task = tokio::spawn(async move {
            while let Ok((driver, _)) = listener.accept().await {
                let (database, most) = (database.clone(), most.clone());
                tokio::spawn(async move {
                    if let Err(error) = relay(driver, &database, &most).await {
                        tracing::debug!(%error, "a connection through the gate broke");
                    }
                });
            }
        });
        Ok(Self { address, row_bytes, task })
    }

    /// Where the driver connects to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets the most bytes of a row from now on.
    pub fn set_row_bytes(&self, most: usize) {
        self.row_bytes.store(most, Ordering::Relaxed);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn relay(mut driver: TcpStream, database: &str, row_bytes: &AtomicUsize) -> io::Result<()> {
    let mut database = TcpStream::connect(database).await?;
    driver.set_nodelay(true)?;
    database.set_nodelay(true)?;
    let (mut from_driver, mut to_driver) = driver.split();
    let (mut from_database, mut to_database) = database.split();
    let (mut asked, mut answered) = (vec![0; READ_BYTES], Messages::default());
    // What was let through since the driver last asked, and whether it was told that there is more.
    let (mut through, mut is_held) = (0, false);
    loop {
        answered.bytes.reserve(READ_BYTES);
        tokio::select! {
            read = from_driver.read(&mut asked) => {
                let asked = &asked[..read?];
                if asked.is_empty() {
                    return Ok(());
                }
                through = 0;
                if !is_held {
                    to_database.write_all(asked).await?;
                    continue;
                }
                // It may ask for more, and gets what is there. Whatever else it may want ends the connection.
                if asked.get(HEADER_BYTES + 1) != Some(&PULL) {
                    return Ok(());
                }
                is_held = false;
            }
            read = from_database.read_buf(&mut answered.bytes), if !is_held => {
                if read? == 0 {
                    return Ok(());
                }
            }
        }
        while let Some(length) = answered.whole().filter(|_| !is_held) {
            if length > row_bytes.load(Ordering::Relaxed) {
                return to_driver.write_all(&failure()).await;
            } else if through > 0 && through + length > EXCHANGE_BYTES && answered.begin_with_a_record() {
                to_driver.write_all(MORE).await?;
                is_held = true;
            } else {
                to_driver.write_all(&answered.take(length)).await?;
                through += length;
            }
        }
        if answered.whole().is_none() && answered.bytes.len() > row_bytes.load(Ordering::Relaxed) {
            return to_driver.write_all(&failure()).await;
        }
    }
}

/// What the database said and was not let through yet.
#[derive(Default)]
struct Messages {
    bytes: BytesMut,
    /// Where the first chunk begins that is not known to be whole.
    at: usize,
    /// The version that was agreed on, which is no message, has passed.
    is_agreed: bool,
}

impl Messages {
    /// How long the first message is, if it is there to its end.
    fn whole(&mut self) -> Option<usize> {
        if !self.is_agreed {
            return (self.bytes.len() >= VERSION_BYTES).then_some(VERSION_BYTES);
        }
        loop {
            let header = self.bytes.get(self.at..self.at + HEADER_BYTES)?;
            let end = self.at + HEADER_BYTES + usize::from(u16::from_be_bytes([header[0], header[1]]));
            if end > self.bytes.len() {
                return None;
            }
            // An empty chunk ends a message, or, alone, keeps the connection alive.
            if end == self.at + HEADER_BYTES {
                return Some(end);
            }
            self.at = end;
        }
    }

    fn begin_with_a_record(&self) -> bool {
        self.bytes.get(HEADER_BYTES + 1) == Some(&RECORD)
    }

    fn take(&mut self, length: usize) -> BytesMut {
        (self.at, self.is_agreed) = (0, true);
        self.bytes.split_to(length)
    }
}

/// FAILURE {code: …, message: …}
fn failure() -> Vec<u8> {
    let mut payload = b"\xb1\x7f\xa2".to_vec();
    for text in ["code", TOO_LARGE, "message", "a row is too large"] {
        payload.extend([0xd0, u8::try_from(text.len()).expect("each is short")]);
        payload.extend_from_slice(text.as_bytes());
    }
    let length = u16::try_from(payload.len()).expect("it is short").to_be_bytes();
    [&length, payload.as_slice(), &[0, 0]].concat()
}
