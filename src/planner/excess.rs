//! Why a plan is too large to be made.

use std::fmt;

use super::matching::Place;
use crate::model::limits::PLAN_MATCHES;
use crate::model::{Name, Section};

/// A plan passes a bound: it is given up before it is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooLarge {
    /// Which specification, from 0.
    pub member: usize,
    /// Where the require stands with which it became too large.
    pub section: Section,
    /// The require; absent where it is the specification without its matches.
    pub require: Option<Name>,
    /// Which bound.
    pub excess: Excess,
}

/// The bound that a plan passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Excess {
    /// All requires together match more Components than a plan may have.
    Matches {
        /// How many the require matches.
        count: usize,
        /// The first of them, described.
        first: Vec<String>,
    },
    /// The matches would be shown with more bytes than a plan may have.
    Bytes {
        /// How many the require matches.
        count: usize,
        /// How many bytes were counted of it until the bound was passed.
        bytes: usize,
        /// The bound: the setting `max-plan-bytes`.
        limit: u32,
        /// Whether it asks for all attributes.
        asks_for_all: bool,
    },
    /// Requires and warnings would be shown with more bytes than a plan may have beyond what was posted.
    Specification {
        /// The bound: the setting `max-plan-bytes`.
        limit: u32,
    },
    /// Texts that read matches would read more bytes of them than a plan may have.
    Read {
        /// The bound: the setting `max-plan-bytes`.
        limit: u32,
    },
    /// Resolving took all the effort that there was.
    Effort,
}

impl TooLarge {
    pub(super) fn at(place: Place<'_>, excess: Excess) -> Self {
        Self { member: place.member, section: place.section, require: Some(place.name.clone()), excess }
    }

    pub(super) fn of_member(member: usize, limit: u32) -> Self {
        Self { member, section: Section::Requires, require: None, excess: Excess::Specification { limit } }
    }
}

/// What is too large, and what to do about it.
impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let require = self.require.as_ref().map_or("the specification", Name::as_str);
        match &self.excess {
            Excess::Specification { limit } => write!(
                f,
                "with {require} the plan would be shown with more than the {limit} bytes beyond what was posted that the setting max-plan-bytes allows; make it smaller, or split the set"
            ),
            Excess::Matches { count, first } => {
                let components = if *count == 1 { "Component" } else { "Components" };
                write!(f, "{require} matches {count} {components} ({}", first.join(", "))?;
                let more = count - first.len();
                if more > 0 {
                    write!(f, " and {more} more")?;
                }
                write!(
                    f,
                    "), and with them all requires together match more than {PLAN_MATCHES} (limit plan-matches); narrow the selectors, or split it"
                )
            }
            Excess::Bytes { count, bytes, limit, asks_for_all } => {
                let matches = if *count == 1 { "its match".to_owned() } else { format!("its {count} matches") };
                write!(
                    f,
                    "{require} would be shown with {bytes} bytes or more for {matches}, and the plan with more than the {limit} bytes that the setting max-plan-bytes allows; "
                )?;
                f.write_str(if *asks_for_all {
                    "name in `attributes` those that are needed, or narrow the selector"
                } else {
                    "ask for fewer `attributes`, or narrow the selector"
                })
            }
            Excess::Read { limit } => write!(
                f,
                "the texts that read the matches of {require} would read more than the {limit} bytes of attributes that the setting max-plan-bytes allows; narrow its selector"
            ),
            Excess::Effort => write!(
                f,
                "resolving it takes more comparisons of labels than the setting max-comparisons allows, and {require} took the last of them; name an Interface, and labels that few Components have"
            ),
        }
    }
}
