//! Interned texts: every text of the Catalog once, known by a number.

use std::sync::Arc;

use super::Map;
use crate::model::Name;

/// An interned text. Equal texts have equal symbols; the order of symbols says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(u32);

impl Symbol {
    /// None comes before it.
    pub const FIRST: Self = Self(0);

    /// Whether it is the key of a label that every Component has.
    pub fn is_always_a_label(self) -> bool {
        (self.0 as usize) < Symbols::ALWAYS.len()
    }
}

/// All interned texts. They are never forgotten while the process lives; a snapshot holds only those still in use.
#[derive(Clone)]
pub struct Symbols {
    by_text: Map<Arc<str>, Symbol>,
    texts: imbl::Vector<Arc<str>>,
}

impl Default for Symbols {
    fn default() -> Self {
        let mut symbols = Self { by_text: Map::default(), texts: imbl::Vector::new() };
        for key in Self::ALWAYS {
            symbols.intern(&Arc::from(key));
        }
        symbols
    }
}

impl Symbols {
    /// The label keys that every Component has. They have the first symbols, and no posting of their own.
    pub const ALWAYS: [&'static str; 4] = ["interface", "name", "environment", "layer"];

    /// The symbol of `text`, if it was interned.
    pub fn find(&self, text: &str) -> Option<Symbol> {
        self.by_text.get(text).copied()
    }

    /// The symbol of `text`, interned now if it was not.
    pub fn intern(&mut self, text: &Arc<str>) -> Symbol {
        if let Some(symbol) = self.find(text) {
            return symbol;
        }
        let symbol = Symbol(u32::try_from(self.texts.len()).expect("memory ends before four billion texts do"));
        self.texts.push_back(text.clone());
        self.by_text.insert(text.clone(), symbol);
        symbol
    }

    /// The text of `symbol`.
    pub fn text(&self, symbol: Symbol) -> &Arc<str> {
        &self.texts[symbol.0 as usize]
    }

    /// The name whose text is that of `symbol`, which must have been interned from a name.
    pub fn name(&self, symbol: Symbol) -> Name {
        Name::of_checked(self.text(symbol).clone())
    }
}
