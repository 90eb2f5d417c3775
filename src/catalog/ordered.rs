//! Names in order, by symbol: cheap to clone, and found with few looks at texts.

use std::cmp::Ordering;
use std::sync::Arc;

use smol_str::SmolStr;

use super::symbols::{Symbol, Symbols};

/// The most names of a block. One block is copied for a new name, and the list of blocks once for each working copy.
const BLOCK: usize = 512;

/// From which end names are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// From the first character, as lists are ordered.
    Front,
    /// From the last character.
    Back,
}

/// A sorted set of names in blocks that clones share. A search tree would hold the texts, and touch all those beside a new one.
#[derive(Clone)]
pub(super) struct Ordered {
    end: End,
    /// None of them is empty.
    blocks: Arc<Vec<Arc<Block>>>,
    len: usize,
}

#[derive(Clone)]
struct Block {
    /// The text of the first name.
    first: SmolStr,
    /// How many bytes all its names begin with alike.
    shared: usize,
    names: Vec<Entry>,
}

/// A name, and the bytes by which it differs from most others of its block, so that few texts are read to find one.
#[derive(Clone, Copy)]
struct Entry {
    bytes: u32,
    symbol: Symbol,
}

/// Where a name stands in the order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    block: usize,
    index: usize,
}

impl End {
    /// The bytes of a text as they are compared. Their order is that of the characters.
    pub fn bytes(self, text: &str) -> Vec<u8> {
        let mut bytes = text.as_bytes().to_vec();
        if self == Self::Back {
            bytes.reverse();
            if !text.is_ascii() {
                bytes = text.chars().rev().collect::<String>().into_bytes();
            }
        }
        bytes
    }

    fn compare(self, text: &str, bytes: &[u8]) -> Ordering {
        match self {
            Self::Front => text.as_bytes().cmp(bytes),
            Self::Back if text.is_ascii() => text.bytes().rev().cmp(bytes.iter().copied()),
            Self::Back => self.bytes(text).as_slice().cmp(bytes),
        }
    }
}

/// The first bytes after those that are shared, as a number of the same order.
fn bytes_after(shared: usize, bytes: &[u8]) -> u32 {
    let mut number = [0; 4];
    let rest = bytes.get(shared..).unwrap_or_default();
    let length = rest.len().min(4);
    number[..length].copy_from_slice(&rest[..length]);
    u32::from_be_bytes(number)
}

impl Block {
    fn of(end: End, symbols: &Symbols, names: Vec<Symbol>) -> Self {
        let bytes = |name: &Symbol| end.bytes(symbols.text(*name));
        let (first, last) = (bytes(&names[0]), bytes(&names[names.len() - 1]));
        let shared = first.iter().zip(&last).take_while(|(one, other)| one == other).count();
        let entry = |symbol: &Symbol| Entry { bytes: bytes_after(shared, &bytes(symbol)), symbol: *symbol };
        Self { first: symbols.text(names[0]).clone(), shared, names: names.iter().map(entry).collect() }
    }

    /// How many of its names from `from` on come before `bytes`.
    fn before(&self, from: usize, end: End, symbols: &Symbols, bytes: &[u8], reads: &mut usize) -> usize {
        let names = self.names.get(from..).unwrap_or_default();
        let shared = &end.bytes(&self.first)[..self.shared];
        *reads += 1;
        match bytes.get(..self.shared).unwrap_or(bytes).cmp(shared) {
            Ordering::Less => 0,
            Ordering::Greater => names.len(),
            Ordering::Equal => {
                let wanted = bytes_after(self.shared, bytes);
                let less = names.partition_point(|name| name.bytes < wanted);
                let alike = names[less..].partition_point(|name| name.bytes == wanted);
                less + names[less..less + alike].partition_point(|name| {
                    *reads += 1;
                    end.compare(symbols.text(name.symbol), bytes).is_lt()
                })
            }
        }
    }

    /// Whether `bytes` begin as all its names do.
    fn shares(&self, end: End, bytes: &[u8]) -> bool {
        bytes.starts_with(&end.bytes(&self.first)[..self.shared])
    }
}

impl Ordered {
    pub fn new(end: End) -> Self {
        Self { end, blocks: Arc::default(), len: 0 }
    }

    pub fn end(&self) -> End {
        self.end
    }

    /// How many names are in it.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Adds a name, unless it is there.
    pub fn insert(&mut self, symbol: Symbol, symbols: &Symbols) {
        let bytes = self.end.bytes(symbols.text(symbol));
        let place = self.seek(Place::default(), symbols, &bytes, &mut 0);
        if self.at(place) == Some(symbol) {
            return;
        }
        self.len += 1;
        let end = self.end;
        let blocks = Arc::make_mut(&mut self.blocks);
        let Some(last) = blocks.len().checked_sub(1) else {
            return blocks.push(Arc::new(Block::of(end, symbols, vec![symbol])));
        };
        // What comes after every block goes to the end of the last one.
        let (number, index) = match place.block <= last {
            true => (place.block, place.index),
            false => (last, blocks[last].names.len()),
        };
        let block = Arc::make_mut(&mut blocks[number]);
        let (is_alike, is_full) = (block.shares(end, &bytes), block.names.len() == BLOCK);
        block.names.insert(index, Entry { bytes: bytes_after(block.shared, &bytes), symbol });
        if index == 0 {
            block.first = symbols.text(symbol).clone();
        }
        if is_full {
            // Names that come in order leave full blocks behind.
            let kept = if number == last && index == BLOCK { BLOCK } else { BLOCK / 2 };
            let mut names: Vec<_> = block.names.iter().map(|name| name.symbol).collect();
            let rest = names.split_off(kept);
            *block = Block::of(end, symbols, names);
            blocks.insert(number + 1, Arc::new(Block::of(end, symbols, rest)));
        } else if !is_alike {
            let names = block.names.iter().map(|name| name.symbol).collect();
            *block = Block::of(end, symbols, names);
        }
    }

    /// Removes a name, if it is there.
    pub fn remove(&mut self, symbol: Symbol, symbols: &Symbols) {
        let bytes = self.end.bytes(symbols.text(symbol));
        let place = self.seek(Place::default(), symbols, &bytes, &mut 0);
        if self.at(place) != Some(symbol) {
            return;
        }
        self.len -= 1;
        let blocks = Arc::make_mut(&mut self.blocks);
        let block = Arc::make_mut(&mut blocks[place.block]);
        block.names.remove(place.index);
        match block.names.first() {
            Some(first) => block.first = symbols.text(first.symbol).clone(),
            None => drop(blocks.remove(place.block)),
        }
    }

    /// The name at a place; none at the end.
    pub fn at(&self, place: Place) -> Option<Symbol> {
        Some(self.blocks.get(place.block)?.names.get(place.index)?.symbol)
    }

    /// The place after `place`.
    pub fn after(&self, place: Place) -> Place {
        match self.blocks.get(place.block) {
            Some(block) if place.index + 1 < block.names.len() => Place { index: place.index + 1, ..place },
            _ => Place { block: place.block + 1, index: 0 },
        }
    }

    /// The place before `place`, if there is one.
    pub fn before(&self, place: Place) -> Option<Place> {
        match place.index.checked_sub(1) {
            Some(index) => Some(Place { index, ..place }),
            None => {
                let block = place.block.checked_sub(1)?;
                Some(Place { block, index: self.blocks[block].names.len() - 1 })
            }
        }
    }

    /// The names from a place on, in order.
    pub fn iter_from(&self, place: Place) -> impl Iterator<Item = Symbol> {
        let blocks = self.blocks.get(place.block..).unwrap_or_default();
        blocks.iter().flat_map(|block| block.names.iter().map(|name| name.symbol)).skip(place.index)
    }

    /// The names behind `after` in order, which need not be there itself.
    pub fn names_after<'a>(
        &'a self,
        symbols: &'a Symbols,
        after: Option<&str>,
    ) -> impl Iterator<Item = Symbol> + use<'a> {
        let bytes = after.map(|after| self.end.bytes(after));
        let place = bytes.map(|bytes| self.seek(Place::default(), symbols, &bytes, &mut 0)).unwrap_or_default();
        let is_it = self.at(place).is_some_and(|first| after == Some(symbols.text(first).as_str()));
        self.iter_from(place).skip(usize::from(is_it))
    }

    /// The first place at or after `from` whose name does not come before `bytes`, which are those of a text or of a beginning;
    /// adds to `reads` how many texts were read.
    pub fn seek(&self, from: Place, symbols: &Symbols, bytes: &[u8], reads: &mut usize) -> Place {
        let begins_after = |block: &Arc<Block>, reads: &mut usize| {
            *reads += 1;
            self.end.compare(&block.first, bytes).is_gt()
        };
        // Mostly it is near.
        let next = self.blocks.get(from.block + 1);
        let number = match next.is_none_or(|next| begins_after(next, reads)) {
            true => from.block,
            false => from.block + self.blocks[from.block + 1..].partition_point(|block| !begins_after(block, reads)),
        };
        let Some(block) = self.blocks.get(number) else { return from };
        let skipped = if number == from.block { from.index } else { 0 };
        let index = skipped + block.before(skipped, self.end, symbols, bytes, reads);
        if index < block.names.len() { Place { block: number, index } } else { Place { block: number + 1, index: 0 } }
    }
}
