//! Lists of attempts: a walk along the index that leads to the fewest, the newest first, of a bounded length.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row as Columns, StatementStatus, params, params_from_iter};

use super::entry::{Kind, entered, newest_place};
use super::index::{ATTEMPT, attempt, failed};
use crate::model::{Condition, Outcome, State, Timestamp};
use crate::store::{DeploymentFilter, DeploymentPage, ListedDeployment, Page, StoreError};

/// Up to so many entries of an index are counted to tell which one leads to the fewest attempts.
const COUNTED: usize = 256;

/// A page of the attempts that `filter` accepts.
pub(super) fn deployments(
    connection: &Connection,
    filter: &DeploymentFilter,
    page: Page,
) -> Result<DeploymentPage, StoreError> {
    list(connection, filter, page).map_err(|error| failed(&error))
}

fn list(connection: &Connection, filter: &DeploymentFilter, page: Page) -> rusqlite::Result<DeploymentPage> {
    let span = Span::of(connection, filter, page)?;
    let (lead, looked) = fewest(connection, leads(filter), &span)?;
    let found = DeploymentPage { looked, ..DeploymentPage::default() };
    let mut walk = Walk { filter, page, looks: 0, last: None, found };
    for stretch in lead.stretches(connection, &span)? {
        if walk.along(connection, &stretch)? == Ending::Full {
            break;
        }
    }
    walk.found.looked += walk.looks;
    Ok(walk.found)
}

/// A part of a walk.
struct Stretch {
    /// Where the attempts are, in our own words; what the client gave is only ever bound.
    source: String,
    values: Vec<Value>,
}

/// A walk over attempts, the newest first.
struct Walk<'a> {
    filter: &'a DeploymentFilter,
    page: Page,
    looks: usize,
    /// The place looked at last.
    last: Option<i64>,
    found: DeploymentPage,
}

/// Where a stretch of a walk ends.
#[derive(PartialEq, Eq)]
enum Ending {
    /// Behind the last attempt of it.
    Passed,
    /// Where the page is full, or as many attempts were looked at as may be.
    Full,
}

impl Walk<'_> {
    fn along(&mut self, connection: &Connection, stretch: &Stretch) -> rusqlite::Result<Ending> {
        let sql = format!("SELECT {ATTEMPT}, condition FROM {} ORDER BY place DESC", stretch.source);
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(&stretch.values))?;
        while let Some(row) = rows.next()? {
            if self.looks == self.page.looks {
                self.found.next = self.last;
                return Ok(Ending::Full);
            }
            self.looks += 1;
            let is_accepted = accepts(self.filter, row)?;
            if is_accepted && self.found.items.len() == self.page.limit {
                self.found.next = self.found.items.last().map(|item| item.place);
                return Ok(Ending::Full);
            }
            self.last = Some(row.get(0)?);
            if is_accepted {
                self.found.items.push(ListedDeployment { place: row.get(0)?, spec: attempt(row)? });
            }
        }
        drop(rows);
        debug_assert_eq!(statement.get_status(StatementStatus::Sort), 0, "the index has the order of the list");
        Ok(Ending::Passed)
    }
}

/// The places between which attempts are looked for.
#[derive(Clone, Copy)]
struct Span {
    from: i64,
    before: i64,
}

impl Span {
    fn of(connection: &Connection, filter: &DeploymentFilter, page: Page) -> rusqlite::Result<Self> {
        let place = |time: Option<Timestamp>| time.map(|time| place_at(connection, time)).transpose();
        let (from, to) = (place(filter.from)?, place(filter.to)?);
        let before = page.before.unwrap_or(i64::MAX).min(to.unwrap_or(i64::MAX));
        Ok(Self { from: from.unwrap_or(i64::MIN), before })
    }
}

/// The first place of an attempt that was created at a time or after. Later places were never created earlier.
fn place_at(connection: &Connection, time: Timestamp) -> rusqlite::Result<i64> {
    let mut next = connection
        .prepare_cached("SELECT place, created_at FROM deployment WHERE place >= ?1 ORDER BY place LIMIT 1")?;
    let (mut low, mut high) = (0, newest_place(connection)? + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let found = next.query_row(params![middle], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        match found {
            Some((place, created)) if Timestamp::from_milliseconds(created) < time => low = i64::max(place, middle) + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// What leads to all attempts that a filter accepts, in the order of their places.
enum Lead {
    /// The table itself, or an index of it that has what a condition says. Both are our own words.
    Table { index: &'static str, condition: &'static str, value: Option<&'static str> },
    /// The entries of a name, and before them the attempts that have none yet.
    Entries(Kind, String),
}

impl Lead {
    const EVERYTHING: Self = Self::Table { index: "NOT INDEXED", condition: "1", value: None };

    fn stretches(&self, connection: &Connection, span: &Span) -> rusqlite::Result<Vec<Stretch>> {
        Ok(match self {
            Self::Table { .. } => vec![self.stretch(span)],
            Self::Entries(kind, _) => {
                let entered = entered(connection, *kind)?;
                let late = Span { from: span.from.max(entered + 1), ..*span };
                let rest = Span { before: span.before.min(entered + 1), ..*span };
                vec![Self::EVERYTHING.stretch(&late), self.stretch(&rest)]
            }
        })
    }

    /// What the index or the entries lead to.
    fn stretch(&self, span: &Span) -> Stretch {
        let span = [Value::Integer(span.from), Value::Integer(span.before)];
        match self {
            Self::Table { index, condition, value } => Stretch {
                source: format!("deployment {index} WHERE place >= ?1 AND place < ?2 AND {condition}"),
                values: span.into_iter().chain(value.map(|value| Value::Text(value.to_owned()))).collect(),
            },
            Self::Entries(kind, value) => Stretch {
                source: "entry CROSS JOIN deployment USING (place)
                         WHERE place >= ?1 AND place < ?2 AND kind = ?3 AND value = ?4"
                    .to_owned(),
                values: span.into_iter().chain([Value::Integer(*kind as i64), Value::Text(value.clone())]).collect(),
            },
        }
    }
}

/// What leads to every attempt that `filter` accepts; that which mostly leads to the fewest first.
fn leads(filter: &DeploymentFilter) -> Vec<Lead> {
    let mut leads = Vec::new();
    let mut table = |index, condition, value| leads.push(Lead::Table { index, condition, value });
    if filter.condition == Some(Condition::Pending) || filter.state == Some(State::Draft) {
        table("INDEXED BY deployment_begun", "(condition = 'Pending' OR current_state = 'Draft')", None);
    }
    if filter.condition == Some(Condition::Error) || filter.state == Some(State::Error) {
        table("INDEXED BY deployment_error", "current_state = 'Error'", None);
    }
    if let Some(outcome) = filter.outcome.filter(|outcome| *outcome != Outcome::Succeeded) {
        let condition = "outcome IS NOT NULL AND outcome <> 'succeeded' AND outcome = ?3";
        table("INDEXED BY deployment_failed", condition, Some(outcome.as_str()));
    }
    if filter.state == Some(State::Active) {
        table("INDEXED BY deployment_active", "current_state = 'Active'", None);
    }
    let named = [
        (Kind::Artifact, &filter.artifact),
        (Kind::Actor, &filter.actor),
        (Kind::Environment, &filter.environment),
        (Kind::System, &filter.system),
    ];
    leads.extend(named.into_iter().filter_map(|(kind, value)| Some(Lead::Entries(kind, value.clone()?))));
    leads
}

/// The first of those that lead to the fewest attempts, as far as those are counted, and how many were.
fn fewest(connection: &Connection, leads: Vec<Lead>, span: &Span) -> rusqlite::Result<(Lead, usize)> {
    let (mut best, mut counted) = (None, 0);
    let is_choice = leads.len() > 1;
    for lead in leads {
        if !is_choice {
            return Ok((lead, 0));
        }
        let Stretch { source, values } = lead.stretch(span);
        let sql = format!("SELECT count(*) FROM (SELECT 1 FROM {source} LIMIT {COUNTED})");
        let count: usize = connection.prepare_cached(&sql)?.query_row(params_from_iter(values), |row| row.get(0))?;
        counted += count;
        if best.as_ref().is_none_or(|(fewest, _)| count < *fewest) {
            best = Some((count, lead));
        }
    }
    Ok((best.map_or(Lead::EVERYTHING, |(_, lead)| lead), counted))
}

/// Whether the filter takes the attempt of a row that has the columns of [`ATTEMPT`] and the condition.
fn accepts(filter: &DeploymentFilter, row: &Columns<'_>) -> rusqlite::Result<bool> {
    let wanted = [
        (3, filter.system.as_deref()),
        (4, filter.artifact.as_deref()),
        (5, filter.environment.as_deref()),
        (6, filter.instance.as_deref()),
        (9, filter.state.map(State::as_str)),
        (10, filter.target_state.map(State::as_str)),
        (12, filter.outcome.map(|outcome| outcome.as_str())),
        (14, filter.actor.as_deref()),
        (20, filter.condition.map(|condition| condition.as_str())),
    ];
    for (column, wanted) in wanted {
        let Some(wanted) = wanted else { continue };
        if row.get_ref(column)? != ValueRef::Text(wanted.as_bytes()) {
            return Ok(false);
        }
    }
    let created = Timestamp::from_milliseconds(row.get(15)?);
    Ok(filter.from.is_none_or(|from| created >= from) && filter.to.is_none_or(|to| created < to))
}
