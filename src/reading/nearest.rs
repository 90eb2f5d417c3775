//! "Did you mean": the known name nearest to a misspelt one.

/// The most characters of a name that is looked up. Longer ones take too long to compare.
const MAX_LENGTH: usize = 64;

/// The name in `known` nearest to `wanted`, if one is near enough to be meant. Of equally near ones the first in order.
///
/// ```
/// assert_eq!(mortise::reading::nearest("selectr", ["scope", "selector"]), Some("selector"));
/// assert_eq!(mortise::reading::nearest("colour", ["scope", "selector"]), None);
/// ```
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = wanted.chars().count();
    if length > MAX_LENGTH {
        return None;
    }
    let allowed = (length / 3).max(1);
    let near = known.into_iter().filter(|known| known.chars().count().abs_diff(length) <= allowed);
    let measured = near.map(|known| (strsim::osa_distance(&wanted.to_lowercase(), &known.to_lowercase()), known));
    measured.filter(|(distance, _)| *distance <= allowed).min().map(|(_, known)| known)
}

/// `; did you mean …?` or nothing.
pub(crate) fn hint<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(wanted, known).map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}
