//! Versions: how they are ordered, and the ranges that selectors name.
//!
//! A version is any text. There is one order for all of them, [`compare`], which is Maven's: it was measured to be a
//! total preorder where Maven's older orders, and any mixture with that of semantic versions, have cycles.
//! A [`VersionRange`] is a Maven interval in that order, or a semantic version requirement, which asks its own question
//! and only of versions that are semantic.
//!
//! Both orders have answers that surprise people. [`near_miss`] and [`equal_only_in_order`] find these, so that an
//! explanation can name them.

mod order;
mod range;

use std::cmp::Ordering;
use std::fmt;

pub use order::compare;
pub use range::{RangeError, RangeProblem, VersionRange};

/// Whether two texts differ though they are equal in order: why the exact text `1.2` does not match `1.2.0`.
///
/// # Examples
///
/// ```
/// use mortise::model::version::equal_only_in_order;
///
/// assert!(equal_only_in_order("1.2", "1.2.0"));
/// assert!(!equal_only_in_order("1.2", "1.2"));
/// ```
pub fn equal_only_in_order(wanted: &str, version: &str) -> bool {
    wanted != version && compare(wanted, version).is_eq()
}

/// Why a range takes or refuses a version when a reader would expect the opposite.
///
/// `Display` gives the sentence; the texts are those asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NearMiss {
    /// The range decides otherwise about the numbers that the version begins with: `[1.0,2.0)` refuses 1.0-SNAPSHOT
    /// and takes 2.0-SNAPSHOT.
    Qualifier {
        /// The range as written.
        range: String,
        /// The version.
        version: String,
        /// The numbers that it begins with.
        numbers: String,
        /// How the version stands to its numbers.
        order: Ordering,
        /// Whether the range takes the version.
        taken: bool,
    },
    /// The range decides otherwise about what follows the first word: `[1.0,2.0)` refuses v1.5.
    LeadingWord {
        /// The range as written.
        range: String,
        /// The version.
        version: String,
        /// The version from its first digit on.
        rest: String,
        /// Whether the range takes the version.
        taken: bool,
    },
    /// The version is another spelling of a bound that is left out: `(1.0,2.0)` refuses 1.0.0.
    EqualToBound {
        /// The range as written.
        range: String,
        /// The version.
        version: String,
        /// The bound.
        bound: String,
    },
    /// The requirement would take the release, but this is a pre-release of it: `^1.2` refuses 1.3.0-rc.1.
    PreRelease {
        /// The requirement as written.
        range: String,
        /// The version.
        version: String,
        /// The release that it precedes.
        release: String,
    },
    /// A requirement was asked about a version that is not semantic: `^1.2` refuses 1.2.RELEASE.
    NotSemantic {
        /// The requirement as written.
        range: String,
        /// The version.
        version: String,
        /// What the `semver` crate says of it.
        reason: String,
    },
}

/// Why `range` surprises about `version`; `None` where it does not.
///
/// # Examples
///
/// ```
/// use mortise::model::version::{VersionRange, near_miss};
///
/// let range = VersionRange::parse("[1.0,2.0)")?;
/// let surprise = near_miss(&range, "1.0-SNAPSHOT").map(|miss| miss.to_string());
/// assert_eq!(surprise.as_deref(), Some("`1.0-SNAPSHOT` sorts before `1.0`, so `[1.0,2.0)` refuses it"));
/// assert_eq!(near_miss(&range, "1.4"), None);
/// # Ok::<(), mortise::model::version::RangeError>(())
/// ```
pub fn near_miss(range: &VersionRange, version: &str) -> Option<NearMiss> {
    if range.is_requirement() { miss_of_requirement(range, version) } else { miss_of_interval(range, version) }
}

fn miss_of_interval(range: &VersionRange, asked: &str) -> Option<NearMiss> {
    let taken = range.contains(asked);
    let (written, version) = (range.to_string(), asked.to_owned());
    let is_word = |letter: char| !(letter.is_ascii_digit() || matches!(letter, '.' | '-' | '_' | '+'));
    if asked.starts_with(is_word) {
        let rest = &asked[asked.find(|letter: char| letter.is_ascii_digit())?..];
        return (range.contains(rest) != taken).then(|| NearMiss::LeadingWord {
            range: written,
            version,
            rest: rest.to_owned(),
            taken,
        });
    }
    let end = asked.find(|letter| is_word(letter) || letter == '+').unwrap_or(asked.len());
    let numbers = asked[..end].trim_end_matches(['.', '-', '_']);
    let order = compare(asked, numbers);
    if !numbers.is_empty() && order.is_ne() && range.contains(numbers) != taken {
        return Some(NearMiss::Qualifier { range: written, version, numbers: numbers.to_owned(), order, taken });
    }
    let bound = range.bound_left_out(asked).filter(|bound| *bound != asked)?.to_owned();
    Some(NearMiss::EqualToBound { range: written, version, bound })
}

fn miss_of_requirement(range: &VersionRange, asked: &str) -> Option<NearMiss> {
    let (written, version) = (range.to_string(), asked.to_owned());
    let mut release = match range::semantic(asked) {
        Ok(semantic) => semantic,
        Err(error) => return Some(NearMiss::NotSemantic { range: written, version, reason: error.to_string() }),
    };
    if release.pre.is_empty() || range.contains(asked) {
        return None;
    }
    release.pre = semver::Prerelease::EMPTY;
    release.build = semver::BuildMetadata::EMPTY;
    let release = release.to_string();
    range.contains(&release).then_some(NearMiss::PreRelease { range: written, version, release })
}

impl fmt::Display for NearMiss {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let takes = |taken: bool| if taken { "takes" } else { "refuses" };
        match self {
            Self::Qualifier { range, version, numbers, order, taken } => {
                let side = if order.is_lt() { "before" } else { "after" };
                write!(out, "`{version}` sorts {side} `{numbers}`, so `{range}` {} it", takes(*taken))
            }
            Self::LeadingWord { range, version, rest, taken } => write!(
                out,
                "`{version}` begins with a word, which sorts before every number, so `{range}` {} it, unlike `{rest}`",
                takes(*taken)
            ),
            Self::EqualToBound { range, version, bound } => {
                write!(out, "`{version}` is equal in order to `{bound}`, which `{range}` leaves out")
            }
            Self::PreRelease { range, version, release } => write!(
                out,
                "`{version}` is a pre-release, which `{range}` would take only if it named a pre-release of `{release}`"
            ),
            Self::NotSemantic { range, version, reason } => {
                write!(out, "`{version}` is no semantic version ({reason}), and `{range}` takes no other")
            }
        }
    }
}
