//! Questions of the graph, in Cypher.

use crate::model::limits::QUESTIONS;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{App, AppError};
use crate::cypher::statement::Statement;
use crate::document::{Json, JsonText};
use crate::store::{Ending, Query, Store};

/// How many rows may wait until the client takes them, and of how many KiB, but for a single one.
const WAITING_ROWS: usize = 512;
const WAITING_KIB: usize = 4 << 10;

/// A question of the graph.
#[derive(Clone, Debug)]
pub struct Question {
    /// A statement that only reads.
    pub statement: Statement,
    /// The values of its parameters, by name.
    pub parameters: Vec<(String, Json)>,
    /// The most rows to answer.
    pub rows: usize,
    /// The most bytes of a row.
    pub row_bytes: usize,
    /// The most bytes of all rows.
    pub bytes: usize,
    /// How long it may take, from when its turn comes.
    pub time: Duration,
}

/// A part of the answer to a [`Question`].
#[derive(Debug)]
pub enum Part {
    /// A row. It takes room until it is dropped.
    Row(JsonText, OwnedSemaphorePermit),
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
        let busy = || format!("{QUESTIONS} questions of the graph are being answered already, and none of them ended");
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
        row_bytes: question.row_bytes,
        time: question.time,
        is_wanted: &is_wanted,
    };
    let room = Arc::new(Semaphore::new(WAITING_KIB));
    let mut bytes = 0;
    let mut cut = None;
    let ending = store.query(&query, &mut |row| {
        let length = row.as_str().len();
        bytes += length;
        cut = if length > question.row_bytes {
            Some(Ending::ByteLimit(question.row_bytes))
        } else if bytes > question.bytes {
            Some(Ending::ByteLimit(question.bytes))
        } else {
            hand_over(row, sender, &room, deadline, runtime).is_break().then_some(Ending::TimeLimit)
        };
        if cut.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(cut.unwrap_or(ending))
}

/// Hands a row over as soon as there is room for it; breaks off where there is none until the deadline.
fn hand_over(
    row: JsonText,
    sender: &Sender<Part>,
    room: &Arc<Semaphore>,
    deadline: Instant,
    runtime: &Handle,
) -> ControlFlow<()> {
    let kib = (row.as_str().len() >> 10).clamp(1, WAITING_KIB) as u32;
    // At full speed there is room, and no clock is looked at.
    let waiting = match room.clone().try_acquire_many_owned(kib) {
        Ok(taken) => match sender.try_send(Part::Row(row, taken)) {
            Ok(()) => return ControlFlow::Continue(()),
            Err(full) => Err(full.into_inner()),
        },
        Err(_) => Ok(row),
    };
    let hand_over = async {
        let part = match waiting {
            // Where nobody takes rows any more, no room comes either.
            Ok(row) => tokio::select! {
                taken = room.clone().acquire_many_owned(kib) => Part::Row(row, taken.ok()?),
                () = sender.closed() => return None,
            },
            Err(part) => part,
        };
        sender.send(part).await.ok()
    };
    let left = deadline.saturating_duration_since(Instant::now());
    match runtime.block_on(async { tokio::time::timeout(left, hand_over).await }) {
        Ok(Some(())) => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    }
}
