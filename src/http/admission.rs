//! How many connections there may be at once: fewer than the files that the process may open, so that the store can always
//! open its own.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use tokio::io::AsyncWrite;
use uuid::Uuid;

use crate::model::Code;

/// How many files are left to the store, to the listener and to what runs the connections.
const RESERVED_FILES: usize = 40;
/// How many files one connection may need: its own, and two for what it reads in the store.
const FILES_PER_CONNECTION: usize = 3;
/// How many connections may stand at once that are being told that there is no place.
const TURNED_AWAY: usize = 8;
/// How long such a connection is kept for the client to read why.
const LINGER: Duration = Duration::from_secs(1);

/// Gives places to connections.
pub(super) struct Admission {
    taken: AtomicUsize,
    most: usize,
    /// How many connections are being told that there is no place.
    told: AtomicUsize,
    /// It was told in the log that there is no place, and there was none ever since.
    is_full: AtomicBool,
}

/// The place of a connection, given back when it is dropped.
pub(super) struct Place(Arc<Admission>);

impl Admission {
    /// Places for `wanted` connections, or as many as the limit of open files has room for. The soft limit is raised to the
    /// hard one first.
    pub fn new(wanted: usize) -> Self {
        let room = files().saturating_sub(RESERVED_FILES) / FILES_PER_CONNECTION;
        let most = wanted.min(room).max(1);
        if most < wanted {
            tracing::info!(connections = most, "fewer connections than configured: the limit of open files is low");
        }
        Self { taken: AtomicUsize::new(0), most, told: AtomicUsize::new(0), is_full: AtomicBool::new(false) }
    }

    /// How many connections there may be.
    pub fn most(&self) -> usize {
        self.most
    }

    /// How many connections may stand at once, those being turned away included. Others wait to be accepted.
    pub fn at_once(&self) -> usize {
        self.most + 2 * TURNED_AWAY
    }

    /// A place, if there is one.
    pub fn place(self: &Arc<Self>) -> Option<Place> {
        let place = Place(self.clone());
        // One that was too much is given back as it is dropped.
        if self.taken.fetch_add(1, Ordering::Relaxed) < self.most {
            return Some(place);
        }
        if !self.is_full.swap(true, Ordering::Relaxed) {
            tracing::warn!(connections = self.most, "turning connections away: there are as many as may be");
        }
        None
    }

    /// Answers a connection for which there is no place, whatever it asks, and closes it. Where many are answered so already it is
    /// closed at once, so that none of them waits.
    pub async fn turn_away(&self, stream: TcpStream) {
        if self.told.fetch_add(1, Ordering::Relaxed) < TURNED_AWAY {
            self.tell(stream).await;
        }
        self.told.fetch_sub(1, Ordering::Relaxed);
    }

    async fn tell(&self, mut stream: TcpStream) {
        let refusal = self.refusal();
        let told = async {
            // A new connection has room for so little, and takes it at once.
            poll_fn(|context| Pin::new(&mut stream).poll_write(context, refusal.as_bytes())).await?;
            poll_fn(|context| Pin::new(&mut stream).poll_shutdown(context)).await?;
            // What is closed before its bytes were read is reset, and the client might never see the answer.
            read_to_end(&stream).await
        };
        // Who has left already needs no answer.
        drop(tokio::time::timeout(LINGER, told).await);
    }

    fn refusal(&self) -> String {
        let code = Code::Overloaded;
        let detail = format!(
            "the server has {} connections, the most that it takes; close idle ones, or raise --max-connections and the \
             limit of open files",
            self.most
        );
        let problem = json!({
            "type": format!("/problems/{code}"), "title": code.title(), "status": 503, "code": code, "detail": detail,
            "instance": format!("/requests/{}", Uuid::now_v7()),
        });
        let body = problem.to_string();
        format!(
            "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 1\r\n\
             content-type: application/problem+json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.0.taken.fetch_sub(1, Ordering::Relaxed) <= self.0.most / 2 {
            self.0.is_full.store(false, Ordering::Relaxed);
        }
    }
}

/// How many files the process may open.
fn files() -> usize {
    let found = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: found.maximum, ..found });
    let current = if raised.is_ok() { found.maximum } else { found.current };
    current.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX))
}

async fn read_to_end(stream: &TcpStream) -> io::Result<()> {
    let mut read = [0; 1024];
    loop {
        stream.readable().await?;
        match stream.try_read(&mut read) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}
