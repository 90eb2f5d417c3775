//! A turn to write: one transaction, which takes the head first.
//!
//! Whoever writes the head holds its lock until the transaction ends, so that turns come one after another; on an engine
//! without locks the second of two turns fails when it commits. Inside, what other replicas recorded is read, the caller
//! decides, and everything is written. A turn that came to nothing is taken again until the deadline.

use std::time::{Duration, Instant};

use neo4rs::{Row, Txn, query};

use super::Neo4jStore;
use super::fault::{Deadline, Fault};
use super::known::Newest;
use super::pool::pause;
use super::{holder, read, schema, statement};
use crate::model::{ChangeSet, Timestamp};
use crate::store::{CommitError, Decide, StoreError, Turn, check_follows};

/// Takes the head, and its lock with it.
const TAKE_HEAD: &str = "MATCH (h:Head {name: 'head'}) SET h.turn = $turn
    WITH h OPTIONAL MATCH (c:Change {revision: $known})
    RETURN h.revision AS revision, h.format AS format, h.upgraded AS upgraded, h.secrets AS secrets, c.id AS id";
/// The same, where the database lets a transaction say something of itself: whose it is, and after how many milliseconds its replica
/// has given it up.
const TELL_AND_TAKE_HEAD: &str =
    "CALL tx.setMetaData({mortiseProcess: $process, mortiseTurn: $turn, mortiseMilliseconds: $life}) WITH 1 AS told
    MATCH (h:Head {name: 'head'}) SET h.turn = $turn
    WITH h OPTIONAL MATCH (c:Change {revision: $known})
    RETURN h.revision AS revision, h.format AS format, h.upgraded AS upgraded, h.secrets AS secrets, c.id AS id";
/// Says it anew.
const TELL: &str = "CALL tx.setMetaData({mortiseProcess: $process, mortiseTurn: $turn, mortiseMilliseconds: $life})";
/// What time it is now, not when the transaction or the statement before began.
const CLOCK: &str = "RETURN datetime.realtime().epochMillis AS now";
/// Writes what says nothing.
const WRITE: &str = "CREATE (:Part)";
/// After how long a wait for the head its holder is looked for.
const PATIENCE: Duration = Duration::from_secs(2);
/// After how long it is looked for again: that one may have had time left, or another one have come after it.
const AGAIN: Duration = Duration::from_secs(1);
/// How much longer a transaction may live than its replica waits for it.
const MARGIN: Duration = Duration::from_millis(500);
/// For how long the holder is looked at then, to see whether it goes on.
const LOOK: Duration = Duration::from_secs(1);
/// How long a statement may take, in a batch of many.
const STATEMENT: Duration = Duration::from_millis(10);
/// How often a database that cannot be reached is tried.
const TRIES: u32 = 4;

/// How far a turn came.
enum Taken {
    /// The batch is recorded, or empty.
    Done(Vec<ChangeSet>),
    /// Nothing of it is recorded.
    Nothing(Fault),
    /// A try that counted as failed was recorded after all.
    Late,
    /// It was to be committed, and there was no answer.
    Unanswered(Vec<ChangeSet>, Fault),
}

impl Neo4jStore {
    pub(super) async fn take_turn(
        &self,
        mut known: u64,
        decide: &mut Decide<'_>,
    ) -> Result<Vec<ChangeSet>, CommitError> {
        let deadline = Deadline::after(self.timeout);
        let mut unanswered: Option<Unanswered> = None;
        let (mut tries, mut broken, mut earlier) = (0, 0, None);
        loop {
            tries += 1;
            let taken = self.turn(&mut known, &mut unanswered, decide, deadline).await;
            let fault = match taken {
                Taken::Done(batch) => return Ok(batch),
                Taken::Nothing(fault) => fault,
                Taken::Late => {
                    let error = "a try that nobody answered was recorded late".to_owned();
                    return Err(CommitError::Unknown(StoreError::Away(error)));
                }
                Taken::Unanswered(batch, fault) => {
                    unanswered = Some(Unanswered { batch, is_settled: false });
                    fault
                }
            };
            if fault.breaks_the_connection() {
                self.writer.reset();
                broken += 1;
            }
            // What may have been recorded is worth every second that there is; what was not can be asked for again.
            let is_open = unanswered.as_ref().is_some_and(|unanswered| !unanswered.is_settled);
            let is_given_up = !is_open && broken >= TRIES;
            if (!fault.is_transient() && !is_open) || is_given_up || deadline.is_past() {
                let error = StoreError::from(fault.or_when_cut_short(earlier, self.writer.step()));
                return Err(if is_open { CommitError::Unknown(error) } else { CommitError::Failed(error) });
            }
            tracing::debug!(%fault, tries, "a turn to write came to nothing; taking it again");
            pause(tries, deadline).await;
            earlier = Some(fault.or_when_cut_short(earlier, self.writer.step()));
        }
    }

    async fn turn(
        &self,
        known: &mut u64,
        unanswered: &mut Option<Unanswered>,
        decide: &mut Decide<'_>,
        deadline: Deadline,
    ) -> Taken {
        let life = Life::until(deadline, self.writer.step());
        let mut transaction = match self.writer.begin(deadline).await {
            Ok(transaction) => transaction,
            Err(fault) => return Taken::Nothing(fault),
        };
        let decided = self.decided(&mut transaction, known, unanswered, decide, deadline, life);
        let (batch, deadline) = match decided.await {
            Ok(Decided::Batch(batch, writing)) => (batch, writing.or_after(self.writer.step())),
            Ok(Decided::RecordedBefore(batch)) => {
                self.end(transaction, deadline).await;
                return Taken::Done(batch);
            }
            Ok(Decided::RecordedLate) => {
                self.end(transaction, deadline).await;
                return Taken::Late;
            }
            Err(fault) => {
                if !fault.breaks_the_connection() {
                    self.end(transaction, deadline).await;
                }
                return Taken::Nothing(fault);
            }
        };
        if batch.is_empty() {
            self.end(transaction, deadline).await;
            return Taken::Done(batch);
        }
        match deadline.within(self.writer.step(), transaction.commit()).await {
            Ok(()) => {
                self.known.remember(&batch);
                Taken::Done(batch)
            }
            // It answered that it did not.
            Err(fault) if !fault.leaves_a_commit_open() => Taken::Nothing(fault),
            Err(fault) => Taken::Unanswered(batch, fault),
        }
    }

    /// Takes the head, learns what was missed, decides, and writes; all but the commit.
    async fn decided(
        &self,
        transaction: &mut Txn,
        known: &mut u64,
        unanswered: &mut Option<Unanswered>,
        decide: &mut Decide<'_>,
        deadline: Deadline,
        life: Life,
    ) -> Result<Decided, Fault> {
        let head = self.take_head(transaction, deadline, life).await?;
        let missed = read::missed(transaction, &self.writer, deadline, *known, head).await?;
        self.known.remember(&missed);
        // The head is held: the turn that nobody answered has ended one way or the other, and this shows which.
        if let Some(before) = unanswered {
            let is_recorded =
                before.batch.first().is_some_and(|first| missed.iter().any(|change| change.id == first.id));
            if is_recorded && !before.is_settled {
                return Ok(Decided::RecordedBefore(std::mem::take(&mut before.batch)));
            }
            if is_recorded {
                return Ok(Decided::RecordedLate);
            }
            before.is_settled = true;
        }
        let now = read::all_rows(transaction, query(CLOCK));
        let now = deadline.within(self.writer.step(), now).await?;
        let now = now.first().map(|row| row.get::<i64>("now")).transpose()?.map(Timestamp::from_milliseconds);
        let batch = decide(Turn { missed: &missed, now });
        *known = head;
        check_follows(&batch, head).map_err(Fault::Damaged)?;
        let statements = statement::of(&batch).map_err(Fault::damaged)?;
        tracing::debug!(changes = batch.len(), statements = statements.len(), "writing a batch");
        // A batch as large as a set of a thousand members may be takes longer to write than anybody should wait for the head.
        let needed = STATEMENT * u32::try_from(statements.len()).unwrap_or(u32::MAX);
        let writing = deadline.or_after(needed.min(self.timeout * 4));
        let longer = life.or_until(writing, self.writer.step());
        if self.tells_life() && longer > life {
            let tell = query(TELL)
                .params([("process", self.process.as_str()), ("turn", "")])
                .param("life", longer.milliseconds());
            writing.within(self.writer.step(), transaction.run(tell)).await?;
        }
        for statement in statements {
            writing.within(self.writer.step(), transaction.run(statement)).await?;
        }
        Ok(Decided::Batch(batch, writing))
    }

    /// Whether the database lets transactions say something of themselves.
    fn tells_life(&self) -> bool {
        self.tells_life.get().copied().unwrap_or(false)
    }

    async fn take_head(&self, transaction: &mut Txn, deadline: Deadline, life: Life) -> Result<u64, Fault> {
        let known = self.known.newest();
        let head = self.wait_for_head(transaction, known, deadline, life).await?;
        schema::check_format(&head)?;
        known.check(&head)
    }

    /// Takes the head, as soon as nobody else has it. A holder that does not let go is found and ended meanwhile.
    pub(super) async fn wait_for_head(
        &self,
        transaction: &mut Txn,
        known: Newest,
        deadline: Deadline,
        life: Life,
    ) -> Result<Row, Fault> {
        let turn = uuid::Uuid::now_v7().to_string();
        let take = if self.tells_life() {
            query(TELL_AND_TAKE_HEAD).param("process", &*self.process).param("life", life.milliseconds())
        } else {
            query(TAKE_HEAD)
        };
        let take = take.param("turn", turn.as_str()).param("known", read::number(known.revision));
        let take = read::all_rows(transaction, take);
        let take = deadline.within(self.timeout, take);
        let mut take = std::pin::pin!(take);
        let mut patience = PATIENCE.min(self.timeout / 2);
        let rows = loop {
            tokio::select! {
                rows = &mut take => break rows.map_err(|fault| match fault {
                    Fault::Late(time) => Fault::Held(time),
                    other => other,
                })?,
                () = tokio::time::sleep(patience) => {
                    patience = AGAIN;
                    let known = holder::Known { process: &self.process, turn: &turn, untold: self.timeout };
                    holder::end(&self.readers, LOOK.min(self.timeout / 6), known, deadline).await;
                }
            }
        };
        rows.into_iter().next().ok_or_else(|| Fault::Damaged("the graph has no head any more".to_owned()))
    }

    /// Looks whether the database takes what is written, and leaves nothing there. The head is not taken for it: where something is
    /// wrong others have need of it.
    pub(super) async fn try_to_write(&self) -> Result<(), Fault> {
        let deadline = Deadline::after(self.writer.step());
        let mut transaction = self.writer.begin(deadline).await?;
        let written = deadline.within(self.writer.step(), transaction.run(query(WRITE))).await;
        match self.writer.watched(written) {
            Err(fault) if fault.breaks_the_connection() => Err(fault),
            written => {
                self.end(transaction, deadline).await;
                written.map(drop)
            }
        }
    }

    /// Ends a transaction that records nothing. Where that fails its connection is closed, which ends it too.
    pub(super) async fn end(&self, transaction: Txn, deadline: Deadline) {
        if deadline.within(self.writer.step(), transaction.rollback()).await.is_err() {
            self.writer.reset();
        }
    }
}

/// For how long a transaction may live from when it begins: then its own replica has given it up, and nobody takes it for one that
/// is only slow.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) struct Life {
    begun: Instant,
    longest: Duration,
}

impl Life {
    /// Of a transaction that begins now. Whatever it does is over at the deadline, but for the commit, which may take `step`.
    pub fn until(deadline: Deadline, step: Duration) -> Self {
        Self { begun: Instant::now(), longest: deadline.left() + step + MARGIN }
    }

    /// The same, where the deadline is another one by now.
    fn or_until(self, deadline: Deadline, step: Duration) -> Self {
        let longest = self.begun.elapsed() + deadline.left() + step + MARGIN;
        Self { longest: longest.max(self.longest), ..self }
    }

    fn milliseconds(self) -> i64 {
        i64::try_from(self.longest.as_millis()).unwrap_or(i64::MAX)
    }
}

/// A batch that was to be committed, and of which nobody said whether it was.
struct Unanswered {
    batch: Vec<ChangeSet>,
    /// Whether it was looked for since, and not found: then it is not recorded.
    is_settled: bool,
}

enum Decided {
    /// Written, to be committed until then.
    Batch(Vec<ChangeSet>, Deadline),
    /// Recorded by the turn before, which nobody answered.
    RecordedBefore(Vec<ChangeSet>),
    /// Recorded by an earlier turn after all, and decided anew since. Only an engine without locks lets a commit come so late.
    RecordedLate,
}
