//! Versions and ranges: three texts, one a line.

use std::cmp::Ordering;

use mortise::model::version::{VersionRange, compare, equal_only_in_order, near_miss};

/// Bytes are lines: the order of each three of them is one, and each that is a range reads as itself.
pub fn any(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let lines: Vec<_> = text.lines().take(4).collect();
    for &a in &lines {
        assert_eq!(compare(a, a), Ordering::Equal);
        for &b in &lines {
            assert_eq!(compare(a, b), compare(b, a).reverse(), "{a:?} {b:?}");
            assert!(!equal_only_in_order(a, b) || compare(a, b).is_eq());
            for &c in &lines {
                if compare(a, b).is_le() && compare(b, c).is_le() {
                    assert!(compare(a, c).is_le(), "{a:?} {b:?} {c:?}");
                }
            }
        }
        if let Ok(range) = VersionRange::parse(a) {
            holds_of(&range, &lines);
        }
    }
}

fn holds_of(range: &VersionRange, versions: &[&str]) {
    let again = VersionRange::parse(&range.to_string()).expect("a range reads as it is written");
    assert_eq!(again, *range);
    assert!(VersionRange::looks_like(range.as_str()), "{range}");
    for version in versions {
        let taken = range.contains(version);
        assert!(!taken || range.judges(version), "{range} takes what it does not judge: {version:?}");
        if let Some(miss) = near_miss(range, version) {
            assert!(!miss.to_string().is_empty());
        }
        // Versions that are equal in order are in an interval both or neither.
        let is_interval = range.as_str().starts_with(['[', '(']);
        for other in versions.iter().filter(|other| is_interval && compare(version, other).is_eq()) {
            assert_eq!(taken, range.contains(other), "{range} {version:?} {other:?}");
        }
    }
}
