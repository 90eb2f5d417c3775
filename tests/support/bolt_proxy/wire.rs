//! One connection through the proxy: a thread for each direction.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex};

use super::State;
use super::framing::{HANDSHAKE, Message, VERSION, tag};
use super::script::{Action, Forward};
use super::shared::Shared;

/// Both sides of a connection.
#[derive(Debug)]
pub struct Wire {
    client: TcpStream,
    upstream: TcpStream,
    /// What is to become of the answers that the database has yet to give, in their order.
    awaited: Mutex<VecDeque<Answer>>,
}

/// What becomes of the answer to one request.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Pass,
    /// The client gets a failure with this code instead.
    Fail(&'static str),
    /// Nobody gets it: the network has fallen silent.
    Swallow,
    /// Nobody gets it: the client is gone.
    Lost,
}

/// Whether the client's messages are still read.
enum Next {
    Read,
    /// The connection was closed.
    End,
    /// Both connections are left open, and no longer read.
    Leave,
}

impl Wire {
    pub fn new(client: TcpStream, upstream: TcpStream) -> io::Result<Self> {
        client.set_nodelay(true)?;
        upstream.set_nodelay(true)?;
        Ok(Self { client, upstream, awaited: Mutex::default() })
    }

    /// Closes both sides.
    pub fn close(&self) {
        // Either may be closed already, which is as well.
        drop(self.client.shutdown(Shutdown::Both));
        drop(self.upstream.shutdown(Shutdown::Both));
    }

    /// Forwards until the connection ends, in this thread and another.
    pub fn run(self: &Arc<Self>, shared: &Arc<Shared>) -> io::Result<()> {
        let mut hello = [0; HANDSHAKE];
        (&self.client).read_exact(&mut hello)?;
        (&self.upstream).write_all(&hello)?;
        let mut version = [0; VERSION];
        (&self.upstream).read_exact(&mut version)?;
        (&self.client).write_all(&version)?;
        let (wire, its) = (Arc::clone(self), Arc::clone(shared));
        std::thread::spawn(move || {
            // An error is a connection that ended, which ends the other side too.
            if !matches!(wire.answers(&its), Ok(Next::Leave)) {
                wire.close();
            }
        });
        Requests { wire: self, shared, queries: Vec::new(), falling_silent: false }.forward()
    }

    /// Forwards the answers of the database.
    fn answers(&self, shared: &Shared) -> io::Result<Next> {
        while let Some(message) = Message::read(&mut &self.upstream)? {
            let mut awaited = self.awaited.lock().expect("no thread panics with it");
            let answer = awaited.front().copied().unwrap_or(Answer::Pass);
            if message.is_summary() {
                awaited.pop_front();
            }
            drop(awaited);
            match answer {
                Answer::Pass => (&self.client).write_all(&message.bytes)?,
                Answer::Fail(code) => (&self.client).write_all(&Message::failure(code).bytes)?,
                Answer::Swallow if message.is_summary() => {
                    shared.change(|state| state.seen.blackholed += 1);
                    return Ok(Next::Leave);
                }
                Answer::Lost => {
                    shared.change(|state| {
                        state.seen.lost_commits_answered += 1;
                        state.unanswered -= 1;
                    });
                    return Ok(Next::End);
                }
                Answer::Swallow => {}
            }
        }
        Ok(Next::End)
    }

    fn forward(&self, message: &Message, answer: Answer) -> io::Result<()> {
        // GOODBYE is not answered.
        if message.tag() != tag::GOODBYE {
            self.awaited.lock().expect("no thread panics with it").push_back(answer);
        }
        (&self.upstream).write_all(&message.bytes)
    }
}

/// What the client sends.
struct Requests<'a> {
    wire: &'a Wire,
    shared: &'a Shared,
    /// The queries of the transaction so far.
    queries: Vec<String>,
    /// Whether the query with which the network falls silent was forwarded, but what fetches its result was not.
    falling_silent: bool,
}

impl Requests<'_> {
    fn forward(mut self) -> io::Result<()> {
        while let Some(message) = Message::read(&mut &self.wire.client)? {
            self.shared.change(|state| count(state, &message));
            match self.request(&message)? {
                Next::Read => {}
                Next::End => break,
                Next::Leave => return Ok(()),
            }
        }
        self.wire.close();
        Ok(())
    }

    fn request(&mut self, message: &Message) -> io::Result<Next> {
        match message.tag() {
            tag::BEGIN => self.queries.clear(),
            tag::RUN => return self.run(message),
            tag::COMMIT => return self.commit(message),
            tag::PULL | tag::DISCARD if self.falling_silent => {
                self.wire.forward(message, Answer::Swallow)?;
                return Ok(Next::Leave);
            }
            _ => {}
        }
        self.wire.forward(message, Answer::Pass)?;
        Ok(Next::Read)
    }

    fn run(&mut self, message: &Message) -> io::Result<Next> {
        self.queries.push(message.query().unwrap_or_default());
        let queries = &self.queries;
        let fires = |action| match action {
            Action::DropAfterRun { marker } => queries.last().is_some_and(|query| query.contains(marker)),
            Action::BlackholeAfterRun { marker, nth } => {
                queries.last().is_some_and(|query| query.contains(marker))
                    && queries.iter().filter(|query| query.contains(marker)).count() == nth
            }
            _ => false,
        };
        let action = self.shared.change(|state| state.script.take(fires));
        self.wire.forward(message, Answer::Pass)?;
        match action {
            Some(Action::DropAfterRun { .. }) => {
                self.wire.close();
                self.shared.change(|state| state.seen.dropped += 1);
                return Ok(Next::End);
            }
            Some(_) => self.falling_silent = true,
            None => {}
        }
        Ok(Next::Read)
    }

    fn commit(&mut self, message: &Message) -> io::Result<Next> {
        let action = self.shared.change(|state| {
            state
                .script
                .take(|action| matches!(action, Action::HoldCommit | Action::LoseCommit(_) | Action::FailCommit { .. }))
        });
        match action {
            Some(Action::LoseCommit(forward)) => self.lose(message, forward),
            Some(Action::HoldCommit) => {
                let released = self.shared.change(|state| {
                    state.seen.held_commits += 1;
                    state.released
                });
                self.shared.wait(|state| state.released > released || state.closing);
                self.wire.forward(message, Answer::Pass)?;
                Ok(Next::Read)
            }
            Some(Action::FailCommit { code }) => {
                self.shared.change(|state| state.seen.failed_commits += 1);
                self.wire.forward(&Message::rollback(), Answer::Fail(code))?;
                Ok(Next::Read)
            }
            _ => {
                self.wire.forward(message, Answer::Pass)?;
                Ok(Next::Read)
            }
        }
    }

    fn lose(&mut self, commit: &Message, forward: Forward) -> io::Result<Next> {
        self.wire.client.shutdown(Shutdown::Both)?;
        let released = self.shared.change(|state| {
            state.seen.lost_commits += 1;
            state.unanswered += usize::from(forward != Forward::Never);
            state.released
        });
        let forwarded = match forward {
            Forward::AtOnce => true,
            Forward::Never => false,
            Forward::WhenReleased => {
                self.shared.wait(|state| state.released > released || state.closing);
                self.shared.read(|state| !state.closing)
            }
        };
        if !forwarded {
            return Ok(Next::End);
        }
        // The other thread closes the connection when the answer has come.
        self.wire.forward(commit, Answer::Lost)?;
        Ok(Next::Leave)
    }
}

fn count(state: &mut State, message: &Message) {
    let seen = &mut state.seen;
    seen.largest_message = seen.largest_message.max(message.bytes.len());
    match message.tag() {
        tag::BEGIN => seen.begins += 1,
        tag::RUN => seen.runs += 1,
        tag::COMMIT => seen.commits += 1,
        tag::ROLLBACK => seen.rollbacks += 1,
        tag::RESET => seen.resets += 1,
        _ => {}
    }
}
