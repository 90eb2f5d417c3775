//! Walks over names in order that skip what is too far from a wanted one.
//!
//! The rows of the table of edit distances (optimal string alignment: insertions, deletions, substitutions, transpositions of
//! neighbours) belong to the characters that a name begins with, so names that begin alike share them. Where no name can go on
//! from a beginning, the walk goes on behind all names that begin with it.

use super::ordered::{End, Ordered, Place};
use super::symbols::{Symbol, Symbols};

/// No alignment within the limits leads there.
const NONE: u8 = u8::MAX;

/// How many edits an alignment may have made by each part of the wanted name.
#[derive(Clone, Copy)]
pub(super) struct Edits {
    /// So many while fewer characters than `early_length` are reached.
    pub early: u8,
    /// How many characters those are.
    pub early_length: usize,
    /// So many in all.
    pub all: u8,
}

/// A walk over the names within some edits of a wanted one, in the order of the names.
pub(super) struct Walk<'a> {
    names: &'a Ordered,
    symbols: &'a Symbols,
    wanted: Vec<char>,
    edits: Edits,
    is_exact_case: bool,
    place: Place,
    /// What the name at hand begins with.
    begun: Vec<char>,
    /// A row for each beginning of it, one value for each beginning of the wanted name.
    rows: Vec<u8>,
}

/// The characters with which a name can go on.
enum Next {
    Any,
    Only(Vec<char>),
}

impl Edits {
    /// So many, wherever.
    pub fn anywhere(all: u8) -> Self {
        Self { early: all, early_length: 0, all }
    }
}

impl<'a> Walk<'a> {
    /// A walk to the names near `wanted`, whose characters stand in the order of the names' end. Names of another case are as
    /// near, unless `is_exact_case`.
    pub fn new(names: &'a Ordered, symbols: &'a Symbols, wanted: &[char], edits: Edits, is_exact_case: bool) -> Self {
        let fold = |&sign: &char| if is_exact_case { sign } else { lower(sign) };
        let wanted: Vec<_> = wanted.iter().map(fold).collect();
        let (place, begun) = (Place::default(), Vec::new());
        let mut walk = Self { names, symbols, wanted, edits, is_exact_case, place, begun, rows: Vec::new() };
        for length in 0..=walk.wanted.len() {
            let cost = u8::try_from(length).unwrap_or(NONE);
            walk.rows.push(if cost <= walk.limit(length) { cost } else { NONE });
        }
        walk
    }

    /// The next name, and how many edits it is away; adds to `reads` how many texts were read. None as well once those are more
    /// than `limit`.
    pub fn next(&mut self, reads: &mut usize, limit: usize) -> Option<(Symbol, u8)> {
        let symbols = self.symbols;
        loop {
            let symbol = self.names.at(self.place)?;
            *reads += 1;
            if *reads > limit {
                return None;
            }
            let text = symbols.text(symbol).as_str();
            let reached = match self.names.end() {
                End::Front => self.follow(text.chars()),
                End::Back => self.follow(text.chars().rev()),
            };
            match reached {
                Ok(()) => {
                    self.place = self.names.after(self.place);
                    let distance = self.row(self.begun.len())[self.wanted.len()];
                    if distance != NONE {
                        return Some((symbol, distance));
                    }
                }
                Err(sign) => self.skip(sign, reads)?,
            }
        }
    }

    /// Makes the rows of a name; where it cannot be near, says which character it should not have gone on with.
    fn follow(&mut self, signs: impl Iterator<Item = char>) -> Result<(), char> {
        let (mut depth, mut is_same) = (0, true);
        for sign in signs {
            is_same = is_same && self.begun.get(depth) == Some(&sign);
            if !is_same {
                self.cut(depth);
                if !self.next_signs().holds(sign) {
                    return Err(sign);
                }
                self.push(sign);
            }
            depth += 1;
        }
        self.cut(depth);
        Ok(())
    }

    /// Goes to the first name behind those that go on with `sign`, at which a near one may be.
    fn skip(&mut self, mut sign: char, reads: &mut usize) -> Option<()> {
        let next = loop {
            if let Some(next) = self.next_signs().after(sign) {
                break next;
            }
            sign = self.begun.pop()?;
            self.cut(self.begun.len());
        };
        // Bytes of a beginning are those of its characters, in the order of either end.
        let target: String = self.begun.iter().copied().chain([next]).collect();
        self.place = self.names.seek(self.place, self.symbols, target.as_bytes(), reads);
        Some(())
    }

    fn cut(&mut self, depth: usize) {
        self.begun.truncate(depth);
        self.rows.truncate((depth + 1) * (self.wanted.len() + 1));
    }

    fn row(&self, depth: usize) -> &[u8] {
        let width = self.wanted.len() + 1;
        &self.rows[depth * width..(depth + 1) * width]
    }

    fn limit(&self, length: usize) -> u8 {
        if length < self.edits.early_length { self.edits.early } else { self.edits.all }
    }

    fn fold(&self, sign: char) -> char {
        if self.is_exact_case { sign } else { lower(sign) }
    }

    /// The part of a row in which there can be anything.
    fn band(&self, depth: usize) -> std::ops::RangeInclusive<usize> {
        let width = usize::from(self.edits.all);
        depth.saturating_sub(width)..=(depth + width).min(self.wanted.len())
    }

    fn push(&mut self, sign: char) {
        let depth = self.begun.len();
        let (sign_before, folded) = (self.begun.last().map(|&sign| self.fold(sign)), self.fold(sign));
        let mut row = vec![NONE; self.wanted.len() + 1];
        let before = self.row(depth);
        for length in self.band(depth + 1) {
            let mut cost = before[length].saturating_add(1);
            if let Some(last) = length.checked_sub(1) {
                let differs = u8::from(self.wanted[last] != folded);
                cost = cost.min(row[last].saturating_add(1)).min(before[last].saturating_add(differs));
            }
            let is_swapped =
                length >= 2 && self.wanted[length - 2] == folded && sign_before == Some(self.wanted[length - 1]);
            if is_swapped {
                cost = cost.min(self.row(depth - 1)[length - 2].saturating_add(1));
            }
            row[length] = if cost <= self.limit(length) { cost } else { NONE };
        }
        self.rows.extend(row);
        self.begun.push(sign);
    }

    fn next_signs(&self) -> Next {
        let depth = self.begun.len();
        let (row, length) = (self.row(depth), self.wanted.len());
        let mut signs = Vec::new();
        for at in self.band(depth) {
            let cost = row[at].saturating_add(1);
            if cost <= self.limit(at) || (at < length && cost <= self.limit(at + 1)) {
                return Next::Any;
            }
            if row[at] != NONE && at < length {
                signs.push(self.wanted[at]);
                if at + 1 < length && cost <= self.limit(at + 2) {
                    signs.push(self.wanted[at + 1]);
                }
            }
        }
        // The second half of a transposition.
        if let Some(before) = depth.checked_sub(1) {
            let last = self.fold(self.begun[before]);
            for at in self.band(before).filter(|at| at + 1 < length && self.wanted[at + 1] == last) {
                if self.row(before)[at].saturating_add(1) <= self.limit(at + 2) {
                    signs.push(self.wanted[at]);
                }
            }
        }
        if !self.is_exact_case {
            let upper: Vec<_> = signs.iter().flat_map(|sign| sign.to_uppercase()).collect();
            signs.extend(upper);
        }
        Next::Only(signs)
    }
}

impl Next {
    fn holds(&self, sign: char) -> bool {
        match self {
            Self::Any => true,
            Self::Only(signs) => signs.contains(&sign),
        }
    }

    /// The first of them after `sign`.
    fn after(&self, sign: char) -> Option<char> {
        match self {
            Self::Any => (sign..=char::MAX).nth(1),
            Self::Only(signs) => signs.iter().copied().filter(|&next| next > sign).min(),
        }
    }
}

/// A character without its case, where that is one character too.
pub(super) fn lower(sign: char) -> char {
    let mut lower = sign.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one,
        _ => sign,
    }
}
