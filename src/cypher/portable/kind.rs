//! What kind of value an expression has, as far as it can be told before it is run.

use super::size;
use crate::document::Json;

/// The kind of a value. Any of them may also be null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Node,
    Relationship,
    /// A path, of which only the length may be asked.
    Path,
    Integer,
    Float,
    Text,
    Boolean,
    List(Box<Kind>),
    Map,
    Null,
    /// It cannot be told.
    Any,
}

impl Kind {
    pub fn is_number(&self) -> bool {
        matches!(self, Self::Integer | Self::Float)
    }

    /// Whether values of it are put in order alike everywhere.
    pub fn is_ordered(&self) -> bool {
        self.is_number() || *self == Self::Text
    }

    pub fn is_scalar(&self) -> bool {
        self.is_ordered() || *self == Self::Boolean
    }

    /// Whether a value of it may be a list, or have one in it.
    pub fn may_hold_list(&self) -> bool {
        matches!(self, Self::List(_) | Self::Map | Self::Any)
    }

    /// The kind of a value that is of either kind.
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Null, kind) | (kind, Self::Null) => kind,
            (left, right) if left == right => left,
            _ => Self::Any,
        }
    }

    /// The kind of the elements of a list.
    pub fn element(&self) -> Self {
        match self {
            Self::List(element) => element.as_ref().clone(),
            _ => Self::Any,
        }
    }

    /// The kind of a property of a node or a relationship: the same wherever one of this name stands.
    pub fn of_property(name: &str) -> Self {
        match name {
            "number" | "revision" | "receivedAt" | "resolvedAt" | "place" | "n" | "min" | "max" | "maxRequires"
            | "maxMatches" | "maxPlanBytes" | "maxComparisons" | "maxDepth" => Self::Integer,
            "proven" | "active" | "reasonInHistory" | "finishNeedsToken" => Self::Boolean,
            _ => Self::Text,
        }
    }

    pub fn of_parameter(value: &Json) -> Self {
        match value {
            Json::Null => Self::Null,
            Json::Bool(_) => Self::Boolean,
            Json::Number(written) if written.contains(['.', 'e', 'E']) => Self::Float,
            Json::Number(_) => Self::Integer,
            Json::Text(_) => Self::Text,
            Json::Array(elements) => {
                let kinds = elements.iter().map(Self::of_parameter);
                Self::List(Box::new(kinds.reduce(Self::or).unwrap_or(Self::Null)))
            }
            Json::Object(_) => Self::Map,
        }
    }
}

/// Whether a list stands anywhere in a value.
pub(super) fn holds_list(value: &Json) -> bool {
    match value {
        Json::Array(_) => true,
        Json::Object(members) => members.iter().any(|(_, member)| holds_list(member)),
        _ => false,
    }
}

/// What an expression is.
#[derive(Clone, Debug)]
pub(super) struct Term {
    pub kind: Kind,
    /// Whether an aggregate stands in it.
    pub aggregates: bool,
    /// Whether a variable stands in it outside of aggregates.
    pub varies: bool,
    /// Whether it is one literal, and the whole number that it is, or the length of the text.
    pub literal: Option<Option<i64>>,
    /// Whether it is `sum(…)` and nothing else.
    pub is_sum: bool,
    /// Whether it is a parameter that is a list or a map, which the engine only looks into.
    pub is_given: bool,
    /// Whether it is known to hold no list, although its kind may.
    pub is_flat: bool,
    /// The most bytes that it may have; of a list, that one element may.
    pub bytes: usize,
    /// The most elements that it may have, where it is a list.
    pub elements: usize,
}

impl Term {
    pub fn of(kind: Kind) -> Self {
        Self {
            kind,
            aggregates: false,
            varies: false,
            literal: None,
            is_sum: false,
            is_given: false,
            is_flat: false,
            bytes: size::VALUE_BYTES,
            elements: size::ELEMENTS,
        }
    }

    pub fn literal(kind: Kind, number: Option<i64>) -> Self {
        Self { literal: Some(number), ..Self::of(kind) }
    }

    pub fn variable(kind: Kind) -> Self {
        Self { varies: true, ..Self::of(kind) }
    }

    /// A term of this kind that is made of these.
    pub fn made_of(kind: Kind, parts: &[&Self]) -> Self {
        Self {
            aggregates: parts.iter().any(|part| part.aggregates),
            varies: parts.iter().any(|part| part.varies),
            // A choice between a text and a number, or a value of a map.
            is_flat: !matches!(kind, Kind::List(_)) && !parts.iter().any(|part| part.may_hold_list()),
            bytes: size::of_parts(&kind, parts),
            ..Self::of(kind)
        }
    }

    /// Whether it may be a list, or have one in it.
    pub fn may_hold_list(&self) -> bool {
        !self.is_flat && self.kind.may_hold_list()
    }
}
