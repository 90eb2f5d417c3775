//! The names of one kind of things: in order, and those near to a misspelt one.

use super::ordered::{End, Ordered, Place};
use super::symbols::{Symbol, Symbols};
use super::walk::{Edits, Walk};
use crate::reading::nearest;

/// So few names are all compared.
const FEW: usize = 128;
/// The most characters of a name that is looked up. Longer ones take too long to compare.
const MAX_LENGTH: usize = 64;
/// How many edits away every name is found, unless too many have to be read for it.
const CERTAIN: u8 = 2;
/// How many names are read for a walk over everything, and for each of the two that follow where those are not enough.
const FIRST_READS: usize = 1_000;
const READS: usize = 3_000;
/// How many names before and after the place of a wanted one are compared with it, where none is as near as that.
const BESIDE: usize = 32;
/// How many names are named that are one edit away.
const ONE_EDIT: usize = 8;
/// An ending that no more names have is rare.
const RARE: usize = 100;

/// Names in the order of both their ends.
#[derive(Clone)]
pub(super) struct Names {
    front: Ordered,
    back: Ordered,
}

/// A set of names, read from a Catalog.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    names: &'a Names,
    symbols: &'a Symbols,
}

impl Default for Names {
    fn default() -> Self {
        Self { front: Ordered::new(End::Front), back: Ordered::new(End::Back) }
    }
}

impl Names {
    pub fn insert(&mut self, symbol: Symbol, symbols: &Symbols) {
        self.front.insert(symbol, symbols);
        self.back.insert(symbol, symbols);
    }

    pub fn remove(&mut self, symbol: Symbol, symbols: &Symbols) {
        self.front.remove(symbol, symbols);
        self.back.remove(symbol, symbols);
    }
}

impl<'a> Known<'a> {
    pub(super) fn new(names: &'a Names, symbols: &'a Symbols) -> Self {
        Self { names, symbols }
    }

    /// How many there are.
    pub fn count(self) -> usize {
        self.names.front.len()
    }

    /// Those after `after`, in order.
    pub fn after(self, after: Option<&str>) -> impl Iterator<Item = &'a str> {
        self.symbols_after(after).map(move |symbol| self.text(symbol))
    }

    pub(super) fn symbols_after(self, after: Option<&str>) -> impl Iterator<Item = Symbol> + use<'a> {
        self.names.front.names_after(self.symbols, after)
    }

    /// The name nearest to `wanted`, whatever its case, if one is near enough to be meant. Of equally near ones the first in
    /// order. Names up to two edits away are found all; of those farther away some that begin or end as it does.
    pub fn nearest(self, wanted: &str) -> Option<&'a str> {
        self.nearest_counted(wanted).0
    }

    /// The same, and how many names were read for it.
    pub fn nearest_counted(self, wanted: &str) -> (Option<&'a str>, usize) {
        let signs: Vec<_> = wanted.chars().collect();
        if signs.len() > MAX_LENGTH {
            return (None, 0);
        }
        if self.count() <= FEW {
            return (nearest(wanted, self.after(None)), self.count());
        }
        let mut search = Search { known: self, wanted: &signs, is_exact_case: false, reads: 0 };
        let allowed = (signs.len() / 3).max(1);
        let mut certain = (0..=CERTAIN).take_while(|&edits| usize::from(edits) <= allowed);
        let found = certain.find_map(|edits| search.first(edits));
        let found = found.or_else(|| nearest(wanted, search.beside(wanted)));
        (found, search.reads)
    }

    /// Some names that are one edit (insertion, deletion, substitution or transposition of neighbours) away from `wanted`,
    /// those that `accepts` takes, in order.
    pub fn one_edit_away(self, wanted: &str, accepts: impl Fn(&str) -> bool) -> Vec<&'a str> {
        let signs: Vec<_> = wanted.chars().collect();
        let mut search = Search { known: self, wanted: &signs, is_exact_case: true, reads: 0 };
        search.one_edit_away(accepts)
    }

    fn text(self, symbol: Symbol) -> &'a str {
        self.symbols.text(symbol)
    }
}

struct Search<'a, 'w> {
    known: Known<'a>,
    wanted: &'w [char],
    is_exact_case: bool,
    reads: usize,
}

impl<'a> Search<'a, '_> {
    /// The first name in order within `edits`, where none is nearer.
    fn first(&mut self, edits: u8) -> Option<&'a str> {
        let (first, is_done) = self.walk(End::Front, Edits::anywhere(edits), 1, &|_| true);
        if is_done || !first.is_empty() || edits == 0 {
            return first.first().copied();
        }
        let [from_front, from_back] = self.halves(edits);
        let (mut found, _) = self.walk(End::Front, from_front, 1, &|_| true);
        found.extend(self.walk(End::Back, from_back, usize::MAX, &|_| true).0);
        found.into_iter().min()
    }

    fn one_edit_away(&mut self, accepts: impl Fn(&str) -> bool) -> Vec<&'a str> {
        let (mut found, is_done) = self.walk(End::Front, Edits::anywhere(1), ONE_EDIT, &accepts);
        if !is_done && found.len() < ONE_EDIT {
            let [from_front, from_back] = self.halves(1);
            found.extend(self.walk(End::Front, from_front, ONE_EDIT, &accepts).0);
            found.extend(self.walk(End::Back, from_back, usize::MAX, &accepts).0);
            found.sort_unstable();
            found.dedup();
            found.truncate(ONE_EDIT);
        }
        found
    }

    /// Two walks that find together what one over everything would, divided at an ending of the wanted name that few have.
    ///
    /// Either an edit lies in that ending, so that less of them lie before it; or all lie before it, so that the name has
    /// exactly that ending.
    fn halves(&mut self, edits: u8) -> [Edits; 2] {
        let lengths: Vec<_> = (1..=self.wanted.len()).collect();
        let ending = 1 + lengths.partition_point(|&length| !self.is_rare_ending(length));
        [
            Edits { early: edits - 1, early_length: (self.wanted.len() + 1).saturating_sub(ending), all: edits },
            Edits { early: 0, early_length: ending, all: edits },
        ]
    }

    /// Whether few names end with so many characters of the wanted one.
    fn is_rare_ending(&mut self, length: usize) -> bool {
        let Known { names: Names { back, .. }, symbols } = self.known;
        let ending: String = self.wanted[self.wanted.len() - length..].iter().collect();
        let first = back.seek(Place::default(), symbols, &End::Back.bytes(&ending), &mut self.reads);
        let last = (0..RARE).fold(first, |place, _| back.after(place));
        back.at(last).is_none_or(|last| !symbols.text(last).ends_with(&ending))
    }

    /// Up to `limit` names that a walk finds, and whether it came to its end.
    fn walk(&mut self, end: End, edits: Edits, limit: usize, accepts: &dyn Fn(&str) -> bool) -> (Vec<&'a str>, bool) {
        let Known { names, symbols } = self.known;
        let mut signs = self.wanted.to_vec();
        let names = match end {
            End::Front => &names.front,
            End::Back => {
                signs.reverse();
                &names.back
            }
        };
        let limit_of_reads = if edits.early == edits.all { FIRST_READS } else { READS };
        let mut walk = Walk::new(names, symbols, &signs, edits, self.is_exact_case);
        let (mut found, mut reads) = (Vec::new(), 0);
        while found.len() < limit
            && let Some((symbol, distance)) = walk.next(&mut reads, limit_of_reads)
        {
            let text = symbols.text(symbol).as_str();
            if (!self.is_exact_case || distance == 1) && accepts(text) {
                found.push(text);
            }
        }
        self.reads += reads;
        (found, reads <= limit_of_reads)
    }

    /// The names before and after the place of the wanted one, by their beginning and by their end.
    fn beside(&mut self, wanted: &str) -> Vec<&'a str> {
        let Known { names, symbols } = self.known;
        let mut found = Vec::new();
        for names in [&names.front, &names.back] {
            let bytes = names.end().bytes(wanted);
            let place = names.seek(Place::default(), symbols, &bytes, &mut self.reads);
            let after = names.iter_from(place).take(BESIDE);
            let before = std::iter::successors(names.before(place), |&place| names.before(place)).take(BESIDE);
            found.extend(
                after.chain(before.filter_map(|place| names.at(place))).map(|name| symbols.text(name).as_str()),
            );
        }
        self.reads += found.len();
        found
    }
}
