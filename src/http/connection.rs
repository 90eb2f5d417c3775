//! A connection with deadlines: for the head of each request, and for a client that takes nothing of its answer.
//!
//! The framework has a deadline for the first head of a connection only, and none for writing. Deadlines stand where bytes
//! pass, so they hold whatever state the framework is in.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::admission::Place;

/// How long a connection may keep the server waiting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// From when nothing is left to answer until the head of the next request is there.
    pub head: Duration,
    /// While the client takes nothing of an answer.
    pub write: Duration,
}

/// A connection of a client.
pub(super) struct Connection {
    stream: TcpStream,
    patience: Patience,
    activity: Rc<Activity>,
    /// When to look next whether the head is late.
    head: Pin<Box<Sleep>>,
    /// Runs while the client takes nothing.
    write: Option<Pin<Box<Sleep>>>,
    _place: Place,
}

/// What goes on on a connection, as far as its deadlines depend on it.
pub(super) struct Activity {
    answering: Cell<usize>,
    /// Since when the client is waited for, where nothing is being answered.
    since: Cell<Instant>,
}

/// A request is being answered, from when its head is there until its answer is made.
pub(super) struct Answering(Rc<Activity>);

impl Connection {
    pub fn new(stream: TcpStream, patience: Patience, place: Place) -> Self {
        let activity = Rc::new(Activity { answering: Cell::new(0), since: Cell::new(Instant::now()) });
        let head = Box::pin(sleep(patience.head));
        Self { stream, patience, activity, head, write: None, _place: place }
    }

    pub fn activity(&self) -> Rc<Activity> {
        self.activity.clone()
    }

    /// Waits for the head of the next request; fails once it is late.
    fn poll_head<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        while self.head.as_mut().poll(context).is_ready() {
            let now = Instant::now();
            // The timer is never stopped, only looked at when it is over: most requests come and go without touching it.
            let is_waited_for = self.activity.answering.get() == 0 && self.write.is_none();
            let until = if is_waited_for { self.activity.since.get() } else { now } + self.patience.head;
            if until <= now {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.head.as_mut().reset(until);
        }
        Poll::Pending
    }

    /// Fails what could not be written for too long.
    fn watch<T>(&mut self, context: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            if self.write.take().is_some() {
                self.activity.since.set(Instant::now());
            }
            return polled;
        }
        let time = self.patience.write;
        let late = self.write.get_or_insert_with(|| Box::pin(sleep(time))).as_mut().poll(context);
        late.map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl Activity {
    /// Begins to answer a request.
    pub fn answering(self: &Rc<Self>) -> Answering {
        self.answering.set(self.answering.get() + 1);
        Answering(self.clone())
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.answering.set(self.0.answering.get() - 1);
        self.0.since.set(Instant::now());
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_read(context, into);
        if polled.is_ready() { polled } else { this.poll_head(context) }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.watch(context, polled)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
