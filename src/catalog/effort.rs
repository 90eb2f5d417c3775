//! What a search may cost, counted in comparisons.

use std::cell::Cell;

/// What is left of the comparisons that a search, or several together, may make. One comparison is that of a label with one value
/// of an expression, or the look at one Component; what costs more than some tens of nanoseconds counts as several.
#[derive(Debug)]
pub struct Effort(Cell<usize>);

impl Effort {
    /// So many comparisons.
    pub fn of(comparisons: usize) -> Self {
        Self(Cell::new(comparisons))
    }

    /// As many as anyone can make.
    pub fn unlimited() -> Self {
        Self::of(usize::MAX)
    }

    /// Takes `comparisons` of what is left. Where there are not as many, nothing is left, and it is `false`.
    pub fn spend(&self, comparisons: usize) -> bool {
        let left = self.0.get().checked_sub(comparisons);
        self.0.set(left.unwrap_or(0));
        left.is_some()
    }

    /// How many are left.
    pub fn left(&self) -> usize {
        self.0.get()
    }
}
