//! Entries: which attempts have a name, in the order of their opening. They are written late and many at once.
//!
//! A start alone would touch a page for each of its names, and write all of it. Thousands of starts touch each page once. Until
//! then lists look at the newest attempts themselves.

use rusqlite::{Connection, Transaction, params};

/// So many attempts without entries are entered at once.
const LATE: i64 = 2_000;

/// What entries are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    System = 1,
    Artifact = 2,
    Environment = 3,
    Actor = 4,
}

impl Kind {
    const ALL: [Self; 4] = [Self::System, Self::Artifact, Self::Environment, Self::Actor];

    fn column(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Artifact => "artifact",
            Self::Environment => "environment",
            Self::Actor => "actor",
        }
    }
}

/// Enters the attempts of one kind, if those without an entry are many: of one only, so that no commit takes long.
pub(super) fn enter(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let newest = newest_place(transaction)?;
    let mut late = None;
    for kind in Kind::ALL {
        let count = newest - entered(transaction, kind)?;
        if count >= LATE && late.is_none_or(|(most, _)| count > most) {
            late = Some((count, kind));
        }
    }
    late.map_or(Ok(()), |(_, kind)| enter_kind(transaction, kind, newest))
}

/// Enters every attempt.
pub(super) fn enter_all(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let newest = newest_place(transaction)?;
    Kind::ALL.into_iter().try_for_each(|kind| enter_kind(transaction, kind, newest))
}

fn enter_kind(transaction: &Transaction<'_>, kind: Kind, newest: i64) -> rusqlite::Result<()> {
    let column = kind.column();
    // In the order of the entries, so that each page is written once.
    let mut insert = transaction.prepare_cached(&format!(
        "INSERT INTO entry (kind, value, place)
         SELECT ?1, {column}, place FROM deployment WHERE place > ?2 AND place <= ?3 AND {column} IS NOT NULL
         ORDER BY {column}, place"
    ))?;
    insert.execute(params![kind as i64, entered(transaction, kind)?, newest])?;
    let mut put = transaction.prepare_cached("INSERT OR REPLACE INTO entered (kind, place) VALUES (?1, ?2)")?;
    put.execute(params![kind as i64, newest]).map(drop)
}

/// The last place that has an entry of this kind, as all before it have; 0 where none has.
pub(super) fn entered(connection: &Connection, kind: Kind) -> rusqlite::Result<i64> {
    let mut find = connection.prepare_cached("SELECT coalesce(max(place), 0) FROM entered WHERE kind = ?1")?;
    find.query_row(params![kind as i64], |row| row.get(0))
}

/// The place of the newest attempt; 0 where there is none.
pub(super) fn newest_place(connection: &Connection) -> rusqlite::Result<i64> {
    let mut find = connection.prepare_cached("SELECT coalesce(max(place), 0) FROM deployment")?;
    find.query_row([], |row| row.get(0))
}
