use std::cmp::Ordering;
use std::fmt;
use std::ops::Bound;

use semver::{Comparator, Version, VersionReq};
use thiserror::Error;

use super::compare;

/// A set of versions: one Maven interval, or one semantic version requirement.
///
/// | written | takes | |
/// |---|---|---|
/// | `[1.0,2.0)` | from 1.0, below 2.0 | in the order of [`compare`], so 2.0-SNAPSHOT too |
/// | `(1.0,)`, `(,2.0]`, `(,)` | an open side has no bound | `[1.0,]` is the same as `[1.0,)` |
/// | `[1.0]` | what is equal in order to 1.0 | 1.0.0 and 1.0.RELEASE too |
/// | `[1.2.*]` | the whole line 1.2 | short for `[1.2.min,1.2.max]` |
/// | `^1.2`, `~1.2.3`, `>=1.2, <2`, `=1.2` | what the `semver` crate says | pre-releases: see below |
///
/// Intervals are read as `GenericVersionRange` of maven-resolver 2 reads them, blanks around bounds included. Stricter
/// than there: an interval that nothing can lie in, a bracket or a stray `*` inside, and `[]` are errors. A union is an
/// error; a selector takes one value for each interval.
///
/// A requirement takes a pre-release only where one of its comparators names a pre-release of the same three numbers
/// (the rule of the `semver` crate): `^1.2` refuses 1.3.0-rc.1, `^1.3.0-rc.0` takes it.
///
/// Two ranges are equal when they are written alike.
///
/// # Examples
///
/// ```
/// use mortise::model::version::VersionRange;
///
/// let interval = VersionRange::parse("[1.0,2.0)")?;
/// assert!(interval.contains("1.4.2") && interval.contains("2.0-SNAPSHOT"));
/// assert!(!interval.contains("1.0-SNAPSHOT"));
///
/// let requirement = VersionRange::parse("^1.2")?;
/// assert!(requirement.contains("1.3") && !requirement.contains("1.3.0-rc.1"));
/// assert!(!requirement.judges("1.2.RELEASE"));
/// # Ok::<(), mortise::model::version::RangeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VersionRange {
    text: Box<str>,
    rule: Rule,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Rule {
    Interval { lower: Bound<Box<str>>, upper: Bound<Box<str>> },
    Requirement(VersionReq),
}

/// Why a text is no [`VersionRange`], and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{range}` is no version range: {problem} (at byte {offset})")]
pub struct RangeError {
    range: Box<str>,
    offset: usize,
    problem: RangeProblem,
}

/// What is wrong with a range, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RangeProblem {
    /// It is plain text: see [`VersionRange::looks_like`].
    #[error("it begins with none of `[ ( ^ ~ < > =`; for exactly one version write `[1.0]`")]
    NotARange,
    /// The closing bracket is missing.
    #[error("the interval is not closed; end it with `]` to include the upper bound or `)` to leave it out")]
    Unclosed,
    /// A second interval follows the first.
    #[error("a second interval follows, and one value is one interval; write each as a value of its own")]
    Union,
    /// Something else follows the closing bracket.
    #[error("text follows the interval; remove it")]
    TextAfterInterval,
    /// An opening bracket stands inside the interval.
    #[error("a bracket stands inside the interval; remove it")]
    BracketInside,
    /// More than one comma.
    #[error("an interval has one lower and one upper bound, as in `[1.0,2.0)`; remove the further comma")]
    TooManyBounds,
    /// No bound and no comma.
    #[error("no version stands in the interval; for any version write `(,)`")]
    NoVersion,
    /// One version, not included on both sides, as in `(1.0)`.
    #[error("a single version is written between `[` and `]`; for a bound add the comma, as in `[1.0,)`")]
    SingleVersionLeftOut,
    /// A `*` elsewhere than in `[1.2.*]`.
    #[error("`*` stands only for the whole of one line, as in `[1.2.*]`; write the bound out")]
    Wildcard,
    /// The bounds are the wrong way round in the order of [`compare`].
    #[error("the lower bound `{lower}` is greater than the upper bound `{upper}`; swap them")]
    LowerAboveUpper {
        /// As written, without blanks around it.
        lower: String,
        /// As written, without blanks around it.
        upper: String,
    },
    /// The bounds are equal in order and not both included, as in `[1.0,1.0)`.
    #[error(
        "no version lies between `{lower}` and `{upper}`, which are equal in order; for that one write `[{lower}]`"
    )]
    Empty {
        /// As written, without blanks around it.
        lower: String,
        /// As written, without blanks around it.
        upper: String,
    },
    /// No semantic version requirement, in the words of the `semver` crate.
    #[error("{reason}; a requirement is a list of comparators between commas, as in `>=1.2, <2`")]
    Requirement {
        /// What the `semver` crate says of the comparator at fault.
        reason: String,
    },
}

impl RangeError {
    /// The text that was to be a range.
    pub fn range(&self) -> &str {
        &self.range
    }

    /// Where the fault begins, in bytes from the beginning of the text; its length where something is missing at the
    /// end.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// What the fault is.
    pub fn problem(&self) -> &RangeProblem {
        &self.problem
    }
}

impl VersionRange {
    /// Whether a text means a range rather than exactly one version: it begins with one of `[ ( ^ ~ < > =`.
    pub fn looks_like(text: &str) -> bool {
        text.starts_with(['[', '(', '^', '~', '<', '>', '='])
    }

    /// Reads a range.
    ///
    /// # Errors
    ///
    /// A [`RangeError`] that says what is wrong, where, and what to write instead.
    pub fn parse(text: &str) -> Result<Self, RangeError> {
        let rule = if text.starts_with(['[', '(']) {
            parse_interval(text)
        } else if Self::looks_like(text) {
            parse_requirement(text)
        } else {
            Err((0, RangeProblem::NotARange))
        };
        match rule {
            Ok(rule) => Ok(Self { text: text.into(), rule }),
            Err((offset, problem)) => Err(RangeError { range: text.into(), offset, problem }),
        }
    }

    /// Whether the version lies in the range; never where the range does not [judge](Self::judges) it.
    pub fn contains(&self, version: &str) -> bool {
        match &self.rule {
            Rule::Interval { .. } => self.begins_before(version) && self.ends_after(version),
            Rule::Requirement(requirement) => semantic(version).is_ok_and(|version| requirement.matches(&version)),
        }
    }

    /// The semantic version that a text is, as [`VersionRange::takes`] is asked of it.
    pub fn semantic(version: &str) -> Option<Version> {
        semantic(version).ok()
    }

    /// Whether a requirement takes a semantic version; an interval is asked by [`VersionRange::contains`].
    pub fn takes(&self, version: &Version) -> bool {
        matches!(&self.rule, Rule::Requirement(requirement) if requirement.matches(version))
    }

    /// Where an interval begins; a requirement has no bounds.
    pub fn lower(&self) -> Bound<&str> {
        match &self.rule {
            Rule::Interval { lower, .. } => lower.as_ref().map(|version| &**version),
            Rule::Requirement(_) => Bound::Unbounded,
        }
    }

    /// Where an interval ends; a requirement has no bounds.
    pub fn upper(&self) -> Bound<&str> {
        match &self.rule {
            Rule::Interval { upper, .. } => upper.as_ref().map(|version| &**version),
            Rule::Requirement(_) => Bound::Unbounded,
        }
    }

    /// Whether the version stands within the lower bound.
    pub fn begins_before(&self, version: &str) -> bool {
        match self.lower() {
            Bound::Included(lower) => compare(lower, version).is_le(),
            Bound::Excluded(lower) => compare(lower, version).is_lt(),
            Bound::Unbounded => true,
        }
    }

    /// Whether the version stands within the upper bound.
    pub fn ends_after(&self, version: &str) -> bool {
        match self.upper() {
            Bound::Included(upper) => compare(version, upper).is_le(),
            Bound::Excluded(upper) => compare(version, upper).is_lt(),
            Bound::Unbounded => true,
        }
    }

    /// Whether the range has anything to say about the version.
    ///
    /// An interval judges every text; a requirement only what is a semantic version, `1` and `1.2` read as `1.0.0` and
    /// `1.2.0`. Of any other version [`contains`](Self::contains) says no, which deserves a warning.
    pub fn judges(&self, version: &str) -> bool {
        !self.is_requirement() || semantic(version).is_ok()
    }

    /// The range as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is a semantic version requirement, and no interval.
    pub fn is_requirement(&self) -> bool {
        matches!(self.rule, Rule::Requirement(_))
    }

    /// The bound that is equal in order to the version and left out.
    pub(super) fn bound_left_out(&self, version: &str) -> Option<&str> {
        let Rule::Interval { lower, upper } = &self.rule else { return None };
        [lower, upper].into_iter().find_map(|bound| match bound {
            Bound::Excluded(bound) if compare(bound, version).is_eq() => Some(&**bound),
            _ => None,
        })
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// The semantic version that a text is, once `1` or `1.2` is padded with zeros; build metadata may follow them.
pub(super) fn semantic(version: &str) -> Result<Version, semver::Error> {
    let (numbers, build) = version.split_at(version.find('+').unwrap_or(version.len()));
    let short = !numbers.is_empty() && numbers.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    match numbers.split('.').count() {
        1 if short => Version::parse(&format!("{numbers}.0.0{build}")),
        2 if short => Version::parse(&format!("{numbers}.0{build}")),
        _ => Version::parse(version),
    }
}

fn parse_interval(text: &str) -> Result<Rule, (usize, RangeProblem)> {
    let close = text.find([')', ']']).ok_or((text.len(), RangeProblem::Unclosed))?;
    let after = text[close + 1..].trim_start();
    if !after.is_empty() {
        let another = after.trim_start_matches(|letter: char| letter == ',' || letter.is_whitespace());
        let problem =
            if another.starts_with(['[', '(']) { RangeProblem::Union } else { RangeProblem::TextAfterInterval };
        return Err((text.len() - after.len(), problem));
    }
    let inside = &text[1..close];
    if let Some(at) = inside.find(['[', '(']) {
        return Err((1 + at, RangeProblem::BracketInside));
    }
    let bound = |version: &str, included: bool| match version {
        "" => Bound::Unbounded,
        version if included => Bound::Included(version.into()),
        version => Bound::Excluded(version.into()),
    };
    let (from_included, to_included) = (text.starts_with('['), text[close..].starts_with(']'));
    let Some((lower, upper)) = inside.split_once(',') else {
        let version = inside.trim();
        if version.is_empty() {
            return Err((1, RangeProblem::NoVersion));
        }
        if !(from_included && to_included) {
            return Err((if from_included { close } else { 0 }, RangeProblem::SingleVersionLeftOut));
        }
        let (least, greatest) = match version.strip_suffix('*') {
            Some(line) if line.ends_with('.') && !line.contains('+') => (format!("{line}min"), format!("{line}max")),
            _ => (version.to_owned(), version.to_owned()),
        };
        refuse_wildcard(text, &least)?;
        return Ok(Rule::Interval { lower: bound(&least, true), upper: bound(&greatest, true) });
    };
    if let Some(at) = upper.find(',') {
        return Err((1 + lower.len() + 1 + at, RangeProblem::TooManyBounds));
    }
    refuse_wildcard(text, inside)?;
    let (lower, upper) = (lower.trim(), upper.trim());
    if !lower.is_empty() && !upper.is_empty() {
        let both = (lower.to_owned(), upper.to_owned());
        match compare(lower, upper) {
            Ordering::Greater => return Err((1, RangeProblem::LowerAboveUpper { lower: both.0, upper: both.1 })),
            Ordering::Equal if !(from_included && to_included) => {
                return Err((0, RangeProblem::Empty { lower: both.0, upper: both.1 }));
            }
            _ => {}
        }
    }
    Ok(Rule::Interval { lower: bound(lower, from_included), upper: bound(upper, to_included) })
}

fn refuse_wildcard(range: &str, bounds: &str) -> Result<(), (usize, RangeProblem)> {
    if bounds.contains('*') { Err((range.find('*').unwrap_or(0), RangeProblem::Wildcard)) } else { Ok(()) }
}

fn parse_requirement(text: &str) -> Result<Rule, (usize, RangeProblem)> {
    VersionReq::parse(text).map(Rule::Requirement).map_err(|whole| {
        // The crate gives no place: the first comparator that is none by itself.
        let mut offset = 0;
        for part in text.split(',') {
            let comparator = part.trim_start();
            if let Err(error) = Comparator::parse(comparator.trim_end()) {
                let at = offset + part.len() - comparator.len();
                return (at, RangeProblem::Requirement { reason: error.to_string() });
            }
            offset += part.len() + 1;
        }
        (0, RangeProblem::Requirement { reason: whole.to_string() })
    })
}
