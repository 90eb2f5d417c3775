//! Questions of the graph: each one an auto-commit reading with a time limit of its own, over connections of its own.
//!
//! Only there does the database itself end what takes too long; in a transaction that was opened it does not. The statement
//! was judged before it comes here: a reading mode alone keeps nobody from loading a file.

mod values;

use std::ops::ControlFlow;
use std::time::Duration;

use neo4rs::{DetachedRowStream, Row, query};

use super::Neo4jStore;
use super::fault::{Deadline, Fault};
use super::gate::TOO_LARGE;
use crate::document::JsonText;
use crate::store::question::row;
use crate::store::{Ending, Query, QueryError, TakeRow};

/// The longest that any question may be allowed to take.
pub(super) const LONGEST: Duration = Duration::from_secs(3_600);
/// How much longer than the database itself is waited before a question is given up.
const GRACE: Duration = Duration::from_secs(2);
/// How often it is looked whether anyone still waits.
const LOOK: Duration = Duration::from_millis(100);

/// What came next.
enum Next {
    Row(Row),
    End,
    /// A row that is too large.
    Cut,
    /// Nobody waits any more.
    Unwanted,
}

impl Neo4jStore {
    pub(super) fn answer(&self, question: &Query<'_>, take: &mut TakeRow<'_>) -> Result<Ending, QueryError> {
        let deadline = Deadline::after(question.time + GRACE);
        let answered = self.ask(question, deadline, take);
        match answered {
            Ok((answered, true)) => Ok(answered),
            // Rows may still be under way on the connection: it is closed, and the database ends what it did there.
            Ok((answered, false)) => {
                self.askers.reset();
                Ok(answered)
            }
            Err(error) => {
                if !matches!(error, Fault::Refused { .. }) {
                    self.askers.reset();
                }
                told(error)
            }
        }
    }

    /// How it ended, and whether all that the database answered was read.
    fn ask(&self, question: &Query<'_>, deadline: Deadline, take: &mut TakeRow<'_>) -> Result<(Ending, bool), Fault> {
        let text = question.statement.text();
        let parameters = values::parameters(question.parameters).map_err(|error| match error {
            QueryError::Invalid(message) => Fault::Refused { code: PARAMETER.to_owned(), message },
            _ => Fault::Damaged("a parameter cannot be sent".to_owned()),
        })?;
        if let Some(gate) = &self.gate {
            gate.set_row_bytes(question.row_bytes);
        }
        let milliseconds = i64::try_from(question.time.as_millis()).unwrap_or(i64::MAX).max(1);
        let statement = query(text).with_params(parameters).extra("tx_timeout", milliseconds);
        let opened = self.runtime.block_on(async {
            // What is not even begun in this time is not answered because the database does not answer.
            let most = self.askers.step().min(question.time + GRACE);
            deadline
                .within(most, async { self.askers.graph()?.execute_read(statement).await.map_err(Fault::from) })
                .await
        });
        let mut stream = opened.map_err(|fault| match fault {
            Fault::Late(time) if time < question.time => {
                Fault::Broken(format!("it did not begin to answer within {:.1} s", time.as_secs_f64()))
            }
            other => other,
        })?;
        let columns = question.statement.columns();
        let (mut taken, mut is_cut) = (0, false);
        loop {
            // Outside of the runtime: whoever takes a row may wait until there is room for it.
            // What came before a row that is too large waits in the driver.
            let next = if is_cut {
                stream.pop().map_or(Next::Cut, Next::Row)
            } else {
                match self.runtime.block_on(next(&mut stream, deadline, question.is_wanted)) {
                    Err(Fault::Refused { code, .. }) if code == TOO_LARGE => {
                        is_cut = true;
                        continue;
                    }
                    next => next?,
                }
            };
            match next {
                Next::Cut => return Ok((Ending::ByteLimit(question.row_bytes), false)),
                Next::End => return Ok((Ending::Complete, true)),
                Next::Unwanted => return Ok((Ending::Complete, false)),
                Next::Row(_) if taken == question.rows => return Ok((Ending::RowLimit, false)),
                Next::Row(row) => {
                    taken += 1;
                    if take(shown(&row, columns.as_deref())?) == ControlFlow::Break(()) {
                        return Ok((if deadline.is_past() { Ending::TimeLimit } else { Ending::Complete }, false));
                    }
                }
            }
        }
    }
}

/// The code of what is wrong with a parameter, as the database names it.
const PARAMETER: &str = "Neo.ClientError.Statement.ParameterMissing";

/// The next row. A reading that is broken off is never gone on with: the connection is closed.
async fn next(
    stream: &mut DetachedRowStream,
    deadline: Deadline,
    is_wanted: &(dyn Fn() -> bool + Sync),
) -> Result<Next, Fault> {
    let coming = deadline.within(LONGEST, stream.next());
    tokio::pin!(coming);
    loop {
        tokio::select! {
            biased;
            row = &mut coming => return Ok(row?.map_or(Next::End, Next::Row)),
            () = tokio::time::sleep(LOOK) => {
                if !is_wanted() {
                    return Ok(Next::Unwanted);
                }
            }
        }
    }
}

/// What an error says of the question.
fn told(fault: Fault) -> Result<Ending, QueryError> {
    match fault {
        Fault::Refused { code, .. }
            if code.contains("TransactionTimedOut") || code.ends_with("Transaction.Terminated") =>
        {
            Ok(Ending::TimeLimit)
        }
        Fault::Refused { code, message } if is_of_the_statement(&code) => Err(QueryError::Invalid(message)),
        Fault::Late(_) => Ok(Ending::TimeLimit),
        other => Err(QueryError::Unavailable(other.into())),
    }
}

/// Whether an error is one of the statement: it is wrong, cannot be computed, or needs more memory than the database gives it.
fn is_of_the_statement(code: &str) -> bool {
    // A function that is given what it cannot take fails as if the database had.
    let is_wrong = [".ClientError.Statement.", ".ClientError.Procedure.", ".DatabaseError.Statement."];
    let is_too_much = ["MemoryPoolOutOfMemoryError", "TransactionOutOfMemoryError"];
    is_wrong.iter().chain(&is_too_much).any(|part| code.contains(part))
}

/// A row in the order of its columns; where the statement does not tell them, in that of their names.
fn shown(found: &Row, columns: Option<&[String]>) -> Result<JsonText, Fault> {
    let mut known: Vec<&str> = found.keys().iter().map(|key| key.value.as_str()).collect();
    known.sort_unstable();
    let named = columns.filter(|columns| {
        let mut columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        columns.sort_unstable();
        columns == known
    });
    let columns: Vec<&str> = named.map_or(known, |columns| columns.iter().map(String::as_str).collect());
    let cells = columns.into_iter().map(|column| Ok((column, values::cell(found.get(column)?)?)));
    Ok(row(cells.collect::<Result<Vec<_>, Fault>>()?.into_iter()))
}
