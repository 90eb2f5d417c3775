//! Interned texts: every text of the Catalog once, known by a number.

use std::hash::BuildHasher;
use std::sync::OnceLock;

use foldhash::quality::RandomState;
use smol_str::SmolStr;

use super::cow_map::CowMap;
use crate::model::Name;

/// An interned text. Equal texts have equal symbols; the order of symbols says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(u32);

impl Symbol {
    /// Whether it is the key of a label that every Component has.
    pub fn is_always_a_label(self) -> bool {
        (self.0 as usize) < Symbols::ALWAYS.len()
    }
}

/// All interned texts. They are never forgotten while the process lives; a snapshot holds only those still in use.
#[derive(Clone)]
pub struct Symbols {
    /// By the hash of the text; texts of equal hash stand at the hashes that follow.
    by_hash: CowMap<u64, Symbol>,
    texts: imbl::Vector<SmolStr>,
}

impl Default for Symbols {
    fn default() -> Self {
        let mut symbols = Self { by_hash: CowMap::default(), texts: imbl::Vector::new() };
        for key in Self::ALWAYS {
            symbols.intern(&SmolStr::new(key));
        }
        symbols
    }
}

impl Symbols {
    /// The label keys that every Component has. They have the first symbols, and no posting of their own.
    pub const ALWAYS: [&str; 4] = ["interface", "name", "environment", "layer"];

    /// The symbol of `text`, if it was interned.
    pub fn find(&self, text: &str) -> Option<Symbol> {
        self.look_up(text).ok()
    }

    /// The symbol of `text`, interned now if it was not.
    pub fn intern(&mut self, text: &SmolStr) -> Symbol {
        match self.look_up(text) {
            Ok(symbol) => symbol,
            Err(free) => {
                let symbol = Symbol(u32::try_from(self.texts.len()).expect("memory ends before four billion texts do"));
                self.texts.push_back(text.clone());
                self.by_hash.insert(free, symbol);
                symbol
            }
        }
    }

    /// The text of `symbol`.
    pub fn text(&self, symbol: Symbol) -> &SmolStr {
        &self.texts[symbol.0 as usize]
    }

    /// The name whose text is that of `symbol`, which must have been interned from a name.
    pub fn name(&self, symbol: Symbol) -> Name {
        Name::of_checked(self.text(symbol).clone())
    }

    /// The symbol of `text`, or the hash at which it is to be put.
    fn look_up(&self, text: &str) -> Result<Symbol, u64> {
        let mut hash = hasher().hash_one(text);
        while let Some(&symbol) = self.by_hash.get(&hash) {
            if **self.text(symbol) == *text {
                return Ok(symbol);
            }
            hash = hash.wrapping_add(1);
        }
        Err(hash)
    }
}

/// Clients choose the texts, so they must not know the hash function.
fn hasher() -> &'static RandomState {
    static HASHER: OnceLock<RandomState> = OnceLock::new();
    HASHER.get_or_init(RandomState::default)
}
