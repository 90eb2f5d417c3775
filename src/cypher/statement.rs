//! The guard before every graph query: a statement that is certain to only read, or the reason why it is not.
//!
//! Neither a read transaction nor a server's access mode keeps a statement from loading a file, listing users or ending
//! the work of others, so a statement is judged here, on tokens, before anything is sent. What is sent is not the text
//! that came in but the text that was judged: `\uXXXX` is decoded and comments are blanked out, so that no server can
//! see other tokens than the guard saw. Where the guard is in doubt it refuses.

mod clauses;
mod columns;
mod decode;
mod functions;
mod secrets;
mod tokens;

use std::fmt;

pub use secrets::is_secret;
pub use tokens::{Token, TokenKind};

/// The longest statement, in bytes, before and after `\uXXXX` is decoded.
pub const MAX_BYTES: usize = 16 * 1024;

/// How many brackets of any kind may stand inside each other.
pub const MAX_DEPTH: usize = 64;

/// A Cypher statement that only reads.
///
/// # Examples
///
/// ```
/// use mortise::cypher::statement::Statement;
///
/// let statement = Statement::parse("MATCH (s:System) RETURN s.name // all of them").unwrap();
/// assert_eq!(statement.text(), "MATCH (s:System) RETURN s.name");
///
/// let refusal = Statement::parse("MATCH (s:System) DETACH DELETE s").unwrap_err();
/// assert_eq!((refusal.clause.as_str(), refusal.line, refusal.column), ("DETACH", 1, 18));
/// ```
#[derive(Debug, Clone)]
pub struct Statement {
    text: String,
    tokens: Vec<Token>,
}

impl Statement {
    /// Judges `text`.
    ///
    /// # Errors
    /// [`Refusal`] where the statement may do anything but read, or where that cannot be told for certain.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        check_length(text)?;
        let decoded = decode::decode(text)?;
        check_length(&decoded)?;
        let (mut text, mut tokens) = tokens::read(decoded)?;
        if tokens.last().is_some_and(|token| token.is(';')) {
            tokens.pop();
        }
        clauses::check(&text, &tokens)?;
        secrets::check(&text, &tokens)?;
        text.truncate(tokens.last().map_or(0, |token| token.end));
        Ok(Self { text, tokens })
    }

    /// What is to be sent: decoded, without comments and without a last `;`.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The tokens of [`Statement::text`], in order.
    #[must_use]
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// The columns of its answer, in order; `None` where it returns `*`, and its answer tells them.
    #[must_use]
    pub fn columns(&self) -> Option<Vec<String>> {
        columns::read(&self.text, &self.tokens)
    }
}

fn check_length(text: &str) -> Result<(), Refusal> {
    if text.len() <= MAX_BYTES {
        return Ok(());
    }
    Err(Refusal { clause: String::new(), line: 1, column: 1, kind: RefusalKind::TooLong })
}

/// Why a statement was not sent.
///
/// Its Display names the clause, its place and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Refusal {
    /// The clause, function or token that is refused, keywords in upper case: `LOAD CSV`, `apoc.create.node`.
    pub clause: String,
    /// Where it stands, counted from one, in the text after `\uXXXX` was decoded.
    pub line: usize,
    /// Counted from one, in characters.
    pub column: usize,
    /// The reason.
    pub kind: RefusalKind,
}

/// The reason why a statement was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// A clause that is known, and not one that only reads the graph.
    Clause,
    /// A word where only a clause or an operator may stand, and that is none of those allowed.
    Unknown,
    /// A function that is not on the list of those that only compute.
    Function,
    /// A keyword where a name must stand, or the other way round, so that it cannot be told what a server reads.
    Ambiguous,
    /// What could read the token of a lease, or a text of the history.
    Secret,
    /// A token that is not finished, or that servers may read differently.
    Token,
    /// Brackets that do not fit together.
    Bracket,
    /// More than one statement.
    Several,
    /// Nothing to run.
    Empty,
    /// Longer than [`MAX_BYTES`].
    TooLong,
    /// Deeper than [`MAX_DEPTH`].
    TooDeep,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { clause, line, column, kind } = self;
        match kind {
            RefusalKind::Empty => return f.write_str("there is no statement to run"),
            RefusalKind::TooLong => {
                return write!(f, "the statement is longer than {MAX_BYTES} bytes: move values into parameters");
            }
            _ => write!(f, "{clause} at line {line}, column {column} is refused: ")?,
        }
        f.write_str(match kind {
            RefusalKind::Clause => {
                "only clauses that read the graph are allowed; if it is a name, write it in backticks"
            }
            RefusalKind::Unknown => {
                "it is not a clause or operator that is allowed here; if it is a name, write it in backticks"
            }
            RefusalKind::Function => "the function is not on the list of those allowed",
            RefusalKind::Ambiguous => {
                "a keyword may be read as a name here, or a name as a keyword; write names in backticks"
            }
            RefusalKind::Secret => {
                "tokens of leases and texts of the history are not for reading here; name the properties that you want, and \
                 take parts of lists by number"
            }
            RefusalKind::Token => "it cannot be read for certain; pass unusual text as a parameter",
            RefusalKind::Bracket => "brackets do not fit together",
            RefusalKind::Several => "only one statement may be sent at a time",
            RefusalKind::TooDeep => "brackets are nested too deeply",
            RefusalKind::Empty | RefusalKind::TooLong => "",
        })
    }
}
