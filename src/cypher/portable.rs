//! Which statements the embedded engine answers as Neo4j does, and how they are put to it.
//!
//! The engine is known to answer some statements wrongly, and silently. So here is not a list of what it gets wrong, but the
//! part of Cypher in which it was seen to agree with Neo4j, statement by statement: whatever is not of that part is refused,
//! and so is what depends on the kind of a value that cannot be told before it is run.
//!
//! Where two relationships of one `MATCH` might be the same one, which Cypher rules out and the engine does not, the
//! statement is completed: they are given names, and a condition says that they differ.

mod aggregate;
mod clauses;
mod cursor;
mod difference;
mod expression;
mod function;
mod kind;
mod labelled;
mod operand;
mod pattern;
mod size;

use super::statement::Statement;
use crate::document::Json;
use cursor::Reader;

/// How many relationships may stand in one statement: the engine plans for ever where there are thousands.
const RELATIONSHIPS: usize = 24;
/// Of how many things that have nothing to do with each other the product may be made. The engine makes all of it before it
/// looks whether its time is over.
const PRODUCTS: usize = 2;

/// A statement as it is put to the embedded engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Portable {
    /// The text: names in backticks, conditions added, and never more than one row over what was asked for.
    pub text: String,
    /// The columns of its answer, in order.
    pub columns: Vec<String>,
}

/// Why a statement that only reads is not answered all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswerable {
    /// The clause, function or form.
    pub clause: String,
    /// Where it stands, counted from one.
    pub line: usize,
    /// Counted from one, in characters.
    pub column: usize,
    /// Why, and what to write instead.
    pub message: String,
}

impl Portable {
    /// Puts a statement so that the embedded engine answers it as Neo4j does, with one row more than `rows` at most.
    ///
    /// # Errors
    /// [`Unanswerable`] where that is not certain.
    pub fn of(statement: &Statement, parameters: &[(String, Json)], rows: usize) -> Result<Self, Unanswerable> {
        let mut reader = Reader::new(statement, parameters);
        reader.statement(rows)?;
        let columns = statement.columns().ok_or_else(|| reader.refuse("*", "name what is to be returned"))?;
        Ok(Self { text: reader.edited(), columns })
    }
}
