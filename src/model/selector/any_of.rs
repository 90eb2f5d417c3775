//! Many tests, arranged so that asking all of them at once takes about as long as asking a few.

use std::cmp::Ordering;
use std::ops::Bound;

use super::Test;
use crate::model::version::{VersionRange, compare};

/// From how many tests on they are arranged.
const MANY: usize = 16;

/// The places of tests in their list. Intervals that overlap stand as one, from the lower bound of one test to the upper bound of
/// another, in ascending order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct AnyOf {
    texts: Box<[u32]>,
    intervals: Box<[(u32, u32)]>,
    requirements: Box<[u32]>,
    /// As how many comparisons the longest of the intervals counts.
    longest: usize,
}

impl AnyOf {
    /// Arranges `tests`; `None` where they are few, and are best asked one by one.
    pub fn of(tests: &[Test]) -> Option<Box<Self>> {
        if tests.len() < MANY {
            return None;
        }
        let (mut texts, mut intervals, mut requirements) = (Vec::new(), Vec::new(), Vec::new());
        for (place, test) in (0..).zip(tests) {
            match test {
                Test::Text(_) => texts.push(place),
                Test::Range(range) if range.is_requirement() => requirements.push(place),
                Test::Range(_) => intervals.push((place, place)),
            }
        }
        let longest = intervals.iter().map(|&(place, _): &(u32, u32)| tests[place as usize].comparisons()).max();
        texts.sort_by(|&one, &other| tests[one as usize].as_str().cmp(tests[other as usize].as_str()));
        let range = |place: u32| range_at(tests, place);
        intervals.sort_by(|&(one, _), &(other, _)| compare_lower(range(one).lower(), range(other).lower()));
        intervals.dedup_by(|next, merged| {
            let joined = reaches(range(merged.1).upper(), range(next.0).lower());
            if joined && compare_upper(range(next.1).upper(), range(merged.1).upper()).is_gt() {
                merged.1 = next.1;
            }
            joined
        });
        Some(Box::new(Self {
            texts: texts.into(),
            intervals: intervals.into(),
            requirements: requirements.into(),
            longest: longest.unwrap_or(0),
        }))
    }

    /// Whether `value` passes any of `tests`, which are those that were arranged.
    pub fn accepts(&self, tests: &[Test], value: &str) -> bool {
        let is_listed = || self.texts.binary_search_by(|&place| tests[place as usize].as_str().cmp(value)).is_ok();
        let is_within = || {
            let begun = self.intervals.partition_point(|&(from, _)| range_at(tests, from).begins_before(value));
            begun.checked_sub(1).is_some_and(|last| range_at(tests, self.intervals[last].1).ends_after(value))
        };
        // It is read once, not for every requirement.
        let is_required = || {
            let version = if self.requirements.is_empty() { None } else { VersionRange::semantic(value) };
            version.is_some_and(|version| self.requirements.iter().any(|&place| range_at(tests, place).takes(&version)))
        };
        is_listed() || is_within() || is_required()
    }

    /// About how many comparisons [`AnyOf::accepts`] makes, at most.
    pub fn comparisons(&self) -> usize {
        let steps = |count: usize| 1 + count.max(1).ilog2() as usize;
        steps(self.texts.len()) + steps(self.intervals.len()) * self.longest + self.requirements.len()
    }
}

fn range_at(tests: &[Test], place: u32) -> &VersionRange {
    match &tests[place as usize] {
        Test::Range(range) => range,
        Test::Text(_) => unreachable!("only ranges are listed as such"),
    }
}

fn compare_lower(one: Bound<&str>, other: Bound<&str>) -> Ordering {
    match (one, other) {
        (Bound::Unbounded, Bound::Unbounded) => Ordering::Equal,
        (Bound::Unbounded, _) => Ordering::Less,
        (_, Bound::Unbounded) => Ordering::Greater,
        (Bound::Included(one), Bound::Excluded(other)) => compare(one, other).then(Ordering::Less),
        (Bound::Excluded(one), Bound::Included(other)) => compare(one, other).then(Ordering::Greater),
        (Bound::Included(one), Bound::Included(other)) | (Bound::Excluded(one), Bound::Excluded(other)) => {
            compare(one, other)
        }
    }
}

fn compare_upper(one: Bound<&str>, other: Bound<&str>) -> Ordering {
    match (one, other) {
        (Bound::Unbounded, Bound::Unbounded) => Ordering::Equal,
        (Bound::Unbounded, _) => Ordering::Greater,
        (_, Bound::Unbounded) => Ordering::Less,
        (Bound::Included(one), Bound::Excluded(other)) => compare(one, other).then(Ordering::Greater),
        (Bound::Excluded(one), Bound::Included(other)) => compare(one, other).then(Ordering::Less),
        (Bound::Included(one), Bound::Included(other)) | (Bound::Excluded(one), Bound::Excluded(other)) => {
            compare(one, other)
        }
    }
}

/// Whether what ends at `upper` leaves no gap to what begins at `lower`.
fn reaches(upper: Bound<&str>, lower: Bound<&str>) -> bool {
    match (upper, lower) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => true,
        (Bound::Excluded(upper), Bound::Excluded(lower)) => compare(lower, upper).is_lt(),
        (Bound::Included(upper) | Bound::Excluded(upper), Bound::Included(lower) | Bound::Excluded(lower)) => {
            compare(lower, upper).is_le()
        }
    }
}
