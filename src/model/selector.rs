//! Selectors: AND of match expressions over labels.

mod any_of;

use any_of::AnyOf;
use smol_str::SmolStr;
use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use super::Name;
use super::version::{RangeError, VersionRange};

/// What an expression asks of a label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Operator {
    /// The value is one of those given; false where the key is missing.
    #[default]
    In,
    /// The value is none of those given; true where the key is missing.
    NotIn,
    /// The key is there.
    Exists,
    /// The key is not there.
    DoesNotExist,
    /// The value lies in one of the version ranges; false where the key is missing.
    InRange,
    /// The value lies in none of the version ranges; true where the key is missing.
    NotInRange,
}

impl Operator {
    /// Every operator, in documented order.
    pub const ALL: [Self; 6] =
        [Self::In, Self::NotIn, Self::Exists, Self::DoesNotExist, Self::InRange, Self::NotInRange];

    /// The operator as written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::In => "In",
            Self::NotIn => "NotIn",
            Self::Exists => "Exists",
            Self::DoesNotExist => "DoesNotExist",
            Self::InRange => "InRange",
            Self::NotInRange => "NotInRange",
        }
    }

    /// Reads an operator; exact case.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operator| operator.as_str() == text)
    }

    /// Whether it takes values at all.
    pub fn takes_values(self) -> bool {
        !matches!(self, Self::Exists | Self::DoesNotExist)
    }

    /// Whether it is true where [`Self::In`], [`Self::Exists`] or [`Self::InRange`] would be false.
    pub fn is_negated(self) -> bool {
        matches!(self, Self::NotIn | Self::DoesNotExist | Self::NotInRange)
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What one value of an expression is compared by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Test {
    /// Exactly this text.
    Text(SmolStr),
    /// A version within this range.
    Range(VersionRange),
}

impl Test {
    /// Whether `value` passes.
    pub fn accepts(&self, value: &str) -> bool {
        match self {
            Self::Text(text) => **text == *value,
            Self::Range(range) => range.contains(value),
        }
    }

    /// As how many comparisons of two texts it counts to ask it of a value that is not long.
    fn comparisons(&self) -> usize {
        match self {
            Self::Text(_) => 1,
            Self::Range(range) => 8 + range.as_str().len(),
        }
    }

    /// The value as written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Range(range) => range.as_str(),
        }
    }
}

/// One match expression: a label key, an operator, values.
///
/// On the key `version`, `In` and `NotIn` take ranges too: a value that begins with one of `[ ( ^ ~ < > =` is one. On any
/// other key such a value is text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "WrittenExpression")]
pub struct Expression {
    key: Name,
    operator: Operator,
    tests: Vec<Test>,
    /// The same, where they are many.
    arranged: Option<Box<AnyOf>>,
}

/// Why an expression is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// `Exists` and `DoesNotExist` take no values.
    #[error("{0} takes no values")]
    UnexpectedValues(Operator),
    /// A value that has to be a range is none.
    #[error("{error}")]
    Range {
        /// Which value, from 0.
        index: usize,
        /// What is wrong with it.
        error: RangeError,
    },
}

impl Expression {
    /// An expression on `key`.
    ///
    /// # Errors
    /// [`ExpressionError`] where a range is none, or values are given to an operator that takes none.
    pub fn new(key: Name, operator: Operator, values: Vec<SmolStr>) -> Result<Self, ExpressionError> {
        if !operator.takes_values() && !values.is_empty() {
            return Err(ExpressionError::UnexpectedValues(operator));
        }
        let must_be_range = matches!(operator, Operator::InRange | Operator::NotInRange);
        let may_be_range = key.as_str() == "version";
        let mut tests = Vec::with_capacity(values.len());
        for (index, value) in values.into_iter().enumerate() {
            tests.push(if must_be_range || (may_be_range && VersionRange::looks_like(&value)) {
                Test::Range(VersionRange::parse(&value).map_err(|error| ExpressionError::Range { index, error })?)
            } else {
                Test::Text(value)
            });
        }
        let arranged = AnyOf::of(&tests);
        Ok(Self { key, operator, tests, arranged })
    }

    /// The expression that `key` has exactly this `value`, which is text on every key.
    pub fn equals(key: Name, value: impl Into<SmolStr>) -> Self {
        Self { key, operator: Operator::In, tests: vec![Test::Text(value.into())], arranged: None }
    }

    /// The label key.
    pub fn key(&self) -> &Name {
        &self.key
    }

    /// The operator.
    pub fn operator(&self) -> Operator {
        self.operator
    }

    /// What each value is compared by, in written order.
    pub fn tests(&self) -> &[Test] {
        &self.tests
    }

    /// The values as written, in written order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &str> {
        self.tests.iter().map(Test::as_str)
    }

    /// Whether a Component whose label `key` has the value `actual` (`None`: is missing) satisfies this.
    pub fn accepts(&self, actual: Option<&str>) -> bool {
        let any = |value| self.lists(value);
        match self.operator {
            Operator::In | Operator::InRange => actual.is_some_and(any),
            Operator::NotIn | Operator::NotInRange => !actual.is_some_and(any),
            Operator::Exists => actual.is_some(),
            Operator::DoesNotExist => actual.is_none(),
        }
    }

    /// Whether `value` is one of the values, or lies in one of the ranges, whatever the operator makes of that.
    pub fn lists(&self, value: &str) -> bool {
        match &self.arranged {
            Some(arranged) => arranged.accepts(&self.tests, value),
            None => self.tests.iter().any(|test| test.accepts(value)),
        }
    }

    /// About how many comparisons [`Expression::accepts`] makes, at most, of a value that is not long. One of two versions takes as
    /// long as many of two texts.
    pub fn comparisons(&self) -> usize {
        match &self.arranged {
            Some(arranged) => arranged.comparisons(),
            None => self.tests.iter().map(Test::comparisons).sum::<usize>().max(1),
        }
    }

    /// Whether any value is a range.
    pub fn has_ranges(&self) -> bool {
        self.tests.iter().any(|test| matches!(test, Test::Range(_)))
    }
}

/// `version In [1.0,2.0)`, `tier Exists`, `os NotIn linux, aix`.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.key, self.operator)?;
        if self.tests.is_empty() && self.operator.takes_values() {
            return f.write_str(" (no values)");
        }
        for (index, value) in self.values().enumerate() {
            let separator = if index == 0 { " " } else { ", " };
            match value {
                "" => write!(f, "{separator}\"\"")?,
                value => write!(f, "{separator}{value}")?,
            }
        }
        Ok(())
    }
}

/// The form of an expression in documents.
#[derive(Deserialize)]
struct WrittenExpression {
    key: Name,
    operator: Operator,
    values: Option<Vec<SmolStr>>,
}

impl TryFrom<WrittenExpression> for Expression {
    type Error = ExpressionError;

    fn try_from(written: WrittenExpression) -> Result<Self, ExpressionError> {
        Self::new(written.key, written.operator, written.values.unwrap_or_default())
    }
}

impl Serialize for Expression {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let takes_values = self.operator.takes_values();
        let mut written = serializer.serialize_struct("Expression", 2 + usize::from(takes_values))?;
        written.serialize_field("key", &self.key)?;
        written.serialize_field("operator", self.operator.as_str())?;
        if takes_values {
            written.serialize_field("values", &self.tests)?;
        }
        written.end()
    }
}

impl Serialize for Test {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// AND of expressions, in written order; the empty selector is satisfied by everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Selector(pub Vec<Expression>);

impl Selector {
    /// Whether labels, read through `label`, satisfy every expression.
    pub fn accepts<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.0.iter().all(|expression| expression.accepts(label(expression.key().as_str())))
    }

    /// Whether any expression is on `key`.
    pub fn mentions(&self, key: &str) -> bool {
        self.0.iter().any(|expression| expression.key().as_str() == key)
    }
}

/// A whole require as a predicate: the interface, where one is named, AND the selector with its defaults applied.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Predicate {
    /// The Interface that must be provided; any where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<Name>,
    /// What the labels must satisfy.
    pub selector: Selector,
}

impl Predicate {
    /// Whether a Component of `interface` whose labels are read through `label` satisfies this.
    pub fn accepts<'a>(&self, interface: &str, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.interface.as_ref().is_none_or(|wanted| wanted.as_str() == interface) && self.selector.accepts(label)
    }
    /// About how many comparisons [`Predicate::accepts`] makes, at most.
    pub fn comparisons(&self) -> usize {
        1 + self.selector.0.iter().map(Expression::comparisons).sum::<usize>()
    }
}
