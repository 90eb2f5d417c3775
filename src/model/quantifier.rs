//! Quantifiers: how many Components must match.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a bare `+` and `?` are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// As the specification's own table has it: `+` is zero or one, `?` is one or more.
    #[default]
    Document,
    /// As regular expressions have it: `+` is one or more, `?` is zero or one.
    Regex,
}

/// How many Components must match: at least `min`, at most `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Quantifier {
    min: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max: Option<u32>,
}

/// Why a text is no quantifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantifierError {
    /// None of the spellings.
    #[error("`{0}` is no quantifier; write a number, `2..4`, `1..*`, `*`, `+` or `?`")]
    Unknown(String),
    /// The lower bound is above the upper one.
    #[error("the quantifier {min}..{max} has its bounds the wrong way round")]
    Inverted {
        /// The lower bound.
        min: u32,
        /// The upper bound.
        max: u32,
    },
}

impl Default for Quantifier {
    fn default() -> Self {
        Self { min: 1, max: Some(1) }
    }
}

impl Quantifier {
    /// At least `min`, at most `max`, no upper bound where `max` is `None`.
    ///
    /// # Errors
    /// [`QuantifierError::Inverted`] when `min` is above `max`.
    pub fn new(min: u32, max: Option<u32>) -> Result<Self, QuantifierError> {
        match max {
            Some(max) if min > max => Err(QuantifierError::Inverted { min, max }),
            _ => Ok(Self { min, max }),
        }
    }

    /// Reads every spelling: `+`, `*`, `?`, `n`, `n..m`, `n..*`. Outer space is ignored.
    ///
    /// # Errors
    /// [`QuantifierError`] for anything else.
    ///
    /// ```
    /// use mortise::model::{Dialect, Quantifier};
    /// let read = |text| Quantifier::parse(text, Dialect::Document).unwrap();
    /// assert_eq!(read("+"), read("0..1"));
    /// assert_eq!(read("?"), read("1..*"));
    /// assert_eq!(Quantifier::parse("+", Dialect::Regex), Ok(read("1..*")));
    /// ```
    pub fn parse(text: &str, dialect: Dialect) -> Result<Self, QuantifierError> {
        let unknown = || QuantifierError::Unknown(text.to_owned());
        let number = |digits: &str| match digits.bytes().all(|byte| byte.is_ascii_digit()) {
            true => digits.parse::<u32>().map_err(|_| unknown()),
            false => Err(unknown()),
        };
        match (text.trim(), dialect) {
            ("*", _) => Self::new(0, None),
            ("+", Dialect::Document) | ("?", Dialect::Regex) => Self::new(0, Some(1)),
            ("?", Dialect::Document) | ("+", Dialect::Regex) => Self::new(1, None),
            (trimmed, _) => match trimmed.split_once("..") {
                None => number(trimmed).and_then(|exact| Self::new(exact, Some(exact))),
                Some((min, "*")) => Self::new(number(min)?, None),
                Some((min, max)) => Self::new(number(min)?, Some(number(max)?)),
            },
        }
    }

    /// The least number of matches.
    pub fn min(self) -> u32 {
        self.min
    }

    /// The greatest number of matches; `None` where there is no upper bound.
    pub fn max(self) -> Option<u32> {
        self.max
    }

    /// The same with a least number of zero (`resolution: optional`).
    #[must_use]
    pub fn optional(self) -> Self {
        Self { min: 0, ..self }
    }

    /// Whether `count` matches are more than allowed.
    pub fn is_exceeded_by(self, count: usize) -> bool {
        self.max.is_some_and(|max| count > max as usize)
    }

    /// Whether `count` matches are fewer than needed.
    pub fn lacks(self, count: usize) -> bool {
        count < self.min as usize
    }
}

/// The unambiguous spelling: `1`, `0..1`, `1..*`.
impl fmt::Display for Quantifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.max {
            None => write!(f, "{}..*", self.min),
            Some(max) if max == self.min => write!(f, "{max}"),
            Some(max) => write!(f, "{}..{max}", self.min),
        }
    }
}
