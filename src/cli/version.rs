//! `mortise version compare` and `matches`

use std::cmp::Ordering;

use super::Exit;
use crate::model::version::{self, VersionRange};

/// Prints how two versions stand in order.
pub fn compare(left: &str, right: &str) -> Exit {
    let sign = match version::compare(left, right) {
        Ordering::Less => "<",
        Ordering::Equal => "=",
        Ordering::Greater => ">",
    };
    println!("{sign}");
    Exit::Yes
}

/// Says by the exit code whether a version lies in a range, and on standard error what is surprising about that.
pub fn matches(range: &str, version: &str) -> Exit {
    let range = match VersionRange::parse(range) {
        Ok(range) => range,
        Err(error) => {
            eprintln!("{error}");
            return Exit::Failed;
        }
    };
    if let Some(surprise) = version::near_miss(&range, version) {
        eprintln!("{surprise}");
    }
    if range.contains(version) { Exit::Yes } else { Exit::No }
}
