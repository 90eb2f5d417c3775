//! A command that waits, whatever its kind, and whoever waits for it.

use std::sync::Arc;

use tokio::sync::oneshot::Sender;

use super::Failure;
use crate::app::AppError;
use crate::lifecycle::{Command, Moment, Step};
use crate::model::ChangeSet;

/// A command that is to be decided, recorded and answered.
pub trait Job: Send {
    /// Decides it; what is to be recorded. Where it was decided before, this takes the place of that.
    fn decide(&mut self, moment: Moment<'_>) -> Vec<Step>;

    /// How many steps it was decided to record.
    fn steps(&self) -> usize;

    /// About how many bytes it records.
    fn bytes(&self) -> usize;

    /// Answers it: what it recorded is durable.
    fn answer(self: Box<Self>, recorded: Vec<ChangeSet>);

    /// Answers it: the batch that it was in could not be recorded, or not certainly.
    fn fail(self: Box<Self>, failure: &Failure);
}

/// Why nothing is recorded for a command, or not certainly.
#[derive(Debug)]
pub enum NotRecorded<R> {
    /// It is refused.
    Refused(R),
    /// The store failed, or this process ends.
    Unavailable(String),
    /// The store failed, and it is not known yet whether it was recorded.
    OutcomeUnknown(String),
    /// The server is at fault.
    Fault,
}

impl<R> NotRecorded<R> {
    /// What it says to the client: `refused` says it of a refusal.
    pub fn into_error(self, refused: impl FnOnce(R) -> AppError) -> AppError {
        match self {
            Self::Refused(refusal) => refused(refusal),
            Self::Unavailable(error) => AppError::Unavailable(error),
            Self::OutcomeUnknown(error) => AppError::OutcomeUnknown { plan: None, error },
            Self::Fault => AppError::fault(),
        }
    }
}

/// What goes back to whoever waits.
pub struct Reply<C: Command> {
    answer: Result<C::Answer, NotRecorded<C::Refusal>>,
    /// What was recorded, only to be freed: that is cheaper on the thread that made most of it.
    recorded: Vec<ChangeSet>,
}

impl<C: Command> Reply<C> {
    /// The answer.
    pub fn answer(self) -> Result<C::Answer, NotRecorded<C::Refusal>> {
        drop(self.recorded);
        self.answer
    }
}

/// A command and who waits for it.
pub struct Waiting<C: Command> {
    command: Arc<C>,
    /// `None` before it was decided, and where that hit a fault.
    decided: Option<Result<C::Answer, C::Refusal>>,
    steps: usize,
    reply: Sender<Reply<C>>,
}

impl<C: Command> Waiting<C> {
    pub fn new(command: Arc<C>, reply: Sender<Reply<C>>) -> Self {
        Self { command, decided: None, steps: 0, reply }
    }

    fn send(self, answer: Result<C::Answer, NotRecorded<C::Refusal>>, recorded: Vec<ChangeSet>) {
        // Before the answer, so that whoever gave it is the last to have it, and frees it.
        drop(self.command);
        // A caller that has gone away does not wait for its answer; what was recorded stays.
        drop(self.reply.send(Reply { answer, recorded }));
    }
}

impl<C> Job for Waiting<C>
where
    C: Command<Answer: Send, Refusal: Send> + Send + Sync,
{
    fn decide(&mut self, moment: Moment<'_>) -> Vec<Step> {
        (self.decided, self.steps) = (None, 0);
        match self.command.decide(moment) {
            Ok(decision) => {
                self.decided = Some(Ok(decision.answer));
                self.steps = decision.steps.len();
                decision.steps
            }
            Err(refusal) => {
                self.decided = Some(Err(refusal));
                Vec::new()
            }
        }
    }

    fn steps(&self) -> usize {
        self.steps
    }

    fn bytes(&self) -> usize {
        self.command.bytes()
    }

    fn answer(mut self: Box<Self>, recorded: Vec<ChangeSet>) {
        let answer = match self.decided.take() {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(refusal)) => Err(NotRecorded::Refused(refusal)),
            None => Err(NotRecorded::Fault),
        };
        self.send(answer, recorded);
    }

    fn fail(self: Box<Self>, failure: &Failure) {
        // Even a refusal may rest on what the batch would have recorded.
        let answer = match failure {
            Failure::Unknown(error) if self.steps > 0 => NotRecorded::OutcomeUnknown(error.clone()),
            Failure::Unknown(error) | Failure::Failed(error) => NotRecorded::Unavailable(error.clone()),
        };
        self.send(Err(answer), Vec::new());
    }
}
