//! Lists of attempts: a walk along the index that leads to the fewest, the newest first, of a bounded length.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row as Columns, StatementStatus, params, params_from_iter};

use super::index::{ATTEMPT, attempt, failed};
use crate::model::{Condition, State, Timestamp};
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
    let (lead, counted) = fewest(connection, leads(filter), &span)?;
    let sql = format!("SELECT {ATTEMPT}, condition FROM deployment {} ORDER BY place DESC", lead.source());
    let mut statement = connection.prepare_cached(&sql)?;
    let mut found = DeploymentPage { looked: counted, ..DeploymentPage::default() };
    let (mut rows, mut looks, mut last) = (statement.query(params_from_iter(lead.values(&span)))?, 0, None);
    while let Some(row) = rows.next()? {
        // There are more after what there is room for, or may be after what was looked at.
        if looks == page.looks {
            found.next = last;
            break;
        }
        looks += 1;
        let is_accepted = accepts(filter, row)?;
        if is_accepted && found.items.len() == page.limit {
            found.next = found.items.last().map(|item| item.place);
            break;
        }
        last = Some(row.get(0)?);
        if is_accepted {
            found.items.push(ListedDeployment { place: row.get(0)?, spec: attempt(row)? });
        }
    }
    drop(rows);
    debug_assert_eq!(statement.get_status(StatementStatus::Sort), 0, "the index has the order of the list");
    found.looked += looks;
    Ok(found)
}

/// The places between which attempts are looked for.
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
    let mut newest = connection.prepare_cached("SELECT coalesce(max(place), 0) FROM deployment")?;
    let mut next = connection
        .prepare_cached("SELECT place, created_at FROM deployment WHERE place >= ?1 ORDER BY place LIMIT 1")?;
    let (mut low, mut high) = (0, newest.query_row([], |row| row.get::<_, i64>(0))? + 1);
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

/// An index that has the attempts of a value, in the order of their places.
struct Lead {
    index: &'static str,
    /// What it has, in our own words; what the client gave is only ever bound.
    condition: &'static str,
    values: Vec<String>,
}

impl Lead {
    fn source(&self) -> String {
        let (from, before) = (self.values.len() + 1, self.values.len() + 2);
        format!("{} WHERE {} AND place >= ?{from} AND place < ?{before}", self.index, self.condition)
    }

    fn values(&self, span: &Span) -> Vec<Value> {
        let given = self.values.iter().cloned().map(Value::Text);
        given.chain([Value::Integer(span.from), Value::Integer(span.before)]).collect()
    }
}

/// The indexes that have every attempt that `filter` accepts, those first that mostly lead to the fewest.
fn leads(filter: &DeploymentFilter) -> Vec<Lead> {
    let mut leads = Vec::new();
    let mut lead = |index, condition, values: &[Option<&String>]| {
        if let Some(values) = values.iter().map(|value| value.cloned()).collect() {
            leads.push(Lead { index, condition, values });
        }
    };
    let state = match (filter.condition, filter.state) {
        (Some(Condition::Error), None) => Some(State::Error),
        (_, state) => state,
    };
    let settled = state.filter(|state| *state != State::Draft).map(|state| state.as_str().to_owned());
    let outcome = filter.outcome.map(|outcome| outcome.as_str().to_owned());
    let (artifact, environment) = (filter.artifact.as_ref(), filter.environment.as_ref());
    lead("INDEXED BY deployment_slot", "artifact = ?1 AND environment = ?2", &[artifact, environment]);
    if environment.is_none() {
        lead("INDEXED BY deployment_artifact", "artifact = ?1", &[artifact]);
    }
    if filter.condition == Some(Condition::Pending) || filter.state == Some(State::Draft) {
        let condition = "(condition = 'Pending' OR current_state = 'Draft')";
        lead("INDEXED BY deployment_begun", condition, &[]);
    }
    lead("INDEXED BY deployment_outcome", "outcome = ?1", &[outcome.as_ref()]);
    lead("INDEXED BY deployment_actor", "actor = ?1", &[filter.actor.as_ref()]);
    lead("INDEXED BY deployment_state", "current_state <> 'Draft' AND current_state = ?1", &[settled.as_ref()]);
    lead("INDEXED BY deployment_environment", "environment = ?1", &[environment]);
    lead("INDEXED BY deployment_system", "system = ?1", &[filter.system.as_ref()]);
    leads
}

/// The first of the indexes that lead to the fewest attempts, as far as those are counted, and how many entries were.
fn fewest(connection: &Connection, leads: Vec<Lead>, span: &Span) -> rusqlite::Result<(Lead, usize)> {
    let everything = || Lead { index: "NOT INDEXED", condition: "1", values: Vec::new() };
    let (mut best, mut counted) = (None, 0);
    let is_choice = leads.len() > 1;
    for lead in leads {
        if !is_choice {
            return Ok((lead, 0));
        }
        let sql = format!("SELECT count(*) FROM (SELECT 1 FROM deployment {} LIMIT {COUNTED})", lead.source());
        let count = connection
            .prepare_cached(&sql)?
            .query_row(params_from_iter(lead.values(span)), |row| row.get::<_, usize>(0))?;
        counted += count;
        if best.as_ref().is_none_or(|(fewest, _)| count < *fewest) {
            best = Some((count, lead));
        }
    }
    Ok((best.map_or_else(everything, |(_, lead)| lead), counted))
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
        (19, filter.condition.map(|condition| condition.as_str())),
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
