//! Questions of the graph, in Cypher.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::{App, AppError};
use crate::cypher::statement::Statement;
use crate::document::{Json, JsonText};
use crate::store::{Ending, Query, Store};

/// How many questions are answered at once; others wait. They are heavy, and planning must go on meanwhile.
pub(super) const AT_ONCE: usize = 4;
/// How many rows may wait until the client takes them.
const WAITING_ROWS: usize = 512;

/// A question of the graph.
#[derive(Clone, Debug)]
pub struct Question {
    /// A statement that only reads.
    pub statement: Statement,
    /// The values of its parameters, by name.
    pub parameters: Vec<(String, Json)>,
    /// The most rows to answer.
    pub rows: usize,
    /// How long it may take, from when its turn comes.
    pub time: Duration,
}

/// A part of the answer to a [`Question`].
#[derive(Debug)]
pub enum Part {
    /// A row.
    Row(JsonText),
    /// The last part: how it ended.
    End(Result<Ending, AppError>),
}

impl App {
    /// Asks the graph. Rows come as they are taken; where the receiver is dropped, the question is given up.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] where too many ask at once; every other error is a part of the answer, perhaps its first.
    pub async fn ask(&self, question: Question) -> Result<Receiver<Part>, AppError> {
        let turn = tokio::time::timeout(question.time, self.askers.clone().acquire_owned()).await;
        let turn = turn.ok().and_then(Result::ok);
        let busy = || format!("{AT_ONCE} questions of the graph are being answered already, and none of them ended");
        let turn = turn.ok_or_else(|| AppError::Unavailable(busy()))?;
        let (sender, receiver) = channel(WAITING_ROWS);
        let (store, runtime) = (self.store.clone(), Handle::current());
        tokio::task::spawn_blocking(move || {
            let ended = answer(store.as_ref(), &question, &sender, &runtime);
            // Whoever does not take the end within this time does not wait for it.
            drop(runtime.block_on(sender.send_timeout(Part::End(ended), question.time)));
            drop(turn);
        });
        Ok(receiver)
    }
}

fn answer(store: &dyn Store, question: &Question, sender: &Sender<Part>, runtime: &Handle) -> Result<Ending, AppError> {
    let deadline = Instant::now() + question.time;
    let is_wanted = || !sender.is_closed();
    let query = Query {
        statement: &question.statement,
        parameters: &question.parameters,
        rows: question.rows,
        time: question.time,
        is_wanted: &is_wanted,
    };
    let mut is_late = false;
    let ending = store.query(&query, &mut |row| {
        // At full speed there is room, and no clock is looked at.
        let Err(full) = sender.try_send(Part::Row(row)) else { return ControlFlow::Continue(()) };
        let left = deadline.saturating_duration_since(Instant::now());
        match runtime.block_on(sender.send_timeout(full.into_inner(), left)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => {
                is_late = true;
                ControlFlow::Break(())
            }
        }
    })?;
    Ok(if is_late { Ending::TimeLimit } else { ending })
}
