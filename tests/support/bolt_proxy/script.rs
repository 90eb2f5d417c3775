//! What the proxy is told to do, and what it saw.

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A new connection is accepted, and nothing is ever answered on it, not even the handshake.
    StaySilent,
    /// The connection is closed, on both sides, right after a `RUN` whose text contains the marker was forwarded: its answer is
    /// not seen, and the database rolls back.
    DropAfterRun { marker: &'static str },
    /// With the `nth` `RUN` of a transaction whose text contains the marker, the network falls silent: that query runs to its end
    /// in the database and takes its locks, but the end of its answer and all after it are forwarded to neither side. Both
    /// connections stay open until [`heal`](super::BoltProxy::heal), whatever the client does.
    BlackholeAfterRun { marker: &'static str, nth: usize },
    /// The database gets `COMMIT` when the test calls [`release_commits`](super::BoltProxy::release_commits), and the client its
    /// answer: a database that is slow.
    HoldCommit,
    /// The client's connection is closed when `COMMIT` arrives.
    LoseCommit(Forward),
    /// `COMMIT` is answered with a failure of this code; the database is told to roll back, and has when the answer is given.
    FailCommit { code: &'static str },
}

/// What becomes of a `COMMIT` whose client is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forward {
    /// The database gets it at once.
    AtOnce,
    /// The database gets it when the test calls [`release_commits`](super::BoltProxy::release_commits). Until then the transaction
    /// is open and holds its locks.
    WhenReleased,
    /// The database never gets it: its connection is closed, so that it rolls back.
    Never,
}

/// How often an action happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    Once,
    Exactly(usize),
    UntilCleared,
}

/// The code with which Neo4j asks for a transaction to be tried again.
pub const DEADLOCK: &str = "Neo.TransientError.Transaction.DeadlockDetected";

/// What the proxy has seen since it was started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Connections that were accepted, silent ones included.
    pub connections: usize,
    pub begins: usize,
    pub runs: usize,
    /// `COMMIT`s that a client sent, whatever became of them.
    pub commits: usize,
    pub rollbacks: usize,
    pub resets: usize,
    /// The largest message that a client sent, in bytes on the wire.
    pub largest_message: usize,
    /// Connections that fell silent, each counted once the database has done the query.
    pub blackholed: usize,
    /// `COMMIT`s that were held back, and whose client waits.
    pub held_commits: usize,
    /// `COMMIT`s whose client's connection was closed.
    pub lost_commits: usize,
    /// Those of them that the database has answered.
    pub lost_commits_answered: usize,
    /// `COMMIT`s that were answered with a failure.
    pub failed_commits: usize,
    /// Connections that were closed after a `RUN`.
    pub dropped: usize,
}

/// What is to happen, in the order in which it was said.
#[derive(Debug, Default)]
pub struct Script(Vec<(Action, Times)>);

impl Script {
    pub fn add(&mut self, action: Action, times: Times) {
        self.0.push((action, times));
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The first action that matches, which has happened once more then.
    pub fn take(&mut self, matches: impl Fn(Action) -> bool) -> Option<Action> {
        let place = self.0.iter().position(|(action, times)| matches(*action) && *times != Times::Exactly(0))?;
        let (action, times) = &mut self.0[place];
        let action = *action;
        match times {
            Times::Once => drop(self.0.remove(place)),
            Times::Exactly(left) => *left -= 1,
            Times::UntilCleared => {}
        }
        Some(action)
    }
}
