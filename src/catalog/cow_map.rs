//! A hash map in copy-on-write blocks: cheap to clone, cheap to change a little, cheap to read.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use foldhash::fast::FixedState;

/// How many blocks a map has.
const BLOCKS: usize = 64;
/// A block is rewritten when so many entries are new in it, or as many as this part of it.
const FRESH: usize = 32;

/// A map whose clones share what neither has changed.
///
/// Meant for small keys that the Catalog made itself (symbols, pairs of them), because the hash function is fixed. In a
/// persistent trie each insertion copies several nodes and touches a reference count for every entry in them; here it copies
/// a short list of new entries and, now and then, one block.
#[derive(Clone)]
pub(super) struct CowMap<K, V> {
    blocks: Arc<Vec<Arc<Block<K, V>>>>,
    len: usize,
}

#[derive(Clone)]
struct Block<K, V> {
    settled: Arc<HashMap<K, V, FixedState>>,
    /// What has changed since: `None` where the entry was removed.
    fresh: HashMap<K, Option<V>, FixedState>,
}

impl<K, V> Default for CowMap<K, V> {
    fn default() -> Self {
        let block = || Arc::new(Block { settled: Arc::default(), fresh: HashMap::default() });
        Self { blocks: Arc::new((0..BLOCKS).map(|_| block()).collect()), len: 0 }
    }
}

impl<K: Copy + Eq + Hash, V: Clone> CowMap<K, V> {
    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The value of `key`.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.blocks[place(key)].get(key)
    }

    /// Whether `key` is there.
    pub fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// The value of `key`, to be changed.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.contains_key(key).then(|| self.block_mut(key).get_mut(key)).flatten()
    }

    /// Sets the value of `key`.
    pub fn insert(&mut self, key: K, value: V) {
        if !self.contains_key(&key) {
            self.len += 1;
        }
        let block = self.block_mut(&key);
        block.fresh.insert(key, Some(value));
        block.settle();
    }

    /// Removes `key`.
    pub fn remove(&mut self, key: &K) {
        if self.contains_key(key) {
            self.len -= 1;
            let block = self.block_mut(key);
            block.fresh.insert(*key, None);
            block.settle();
        }
    }

    /// Every entry, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.blocks.iter().flat_map(|block| {
            let settled = block.settled.iter().filter(|(key, _)| !block.fresh.contains_key(key));
            let fresh = block.fresh.iter().filter_map(|(key, value)| Some((key, value.as_ref()?)));
            settled.chain(fresh)
        })
    }

    fn block_mut(&mut self, key: &K) -> &mut Block<K, V> {
        Arc::make_mut(&mut Arc::make_mut(&mut self.blocks)[place(key)])
    }
}

impl<K: Copy + Eq + Hash, V: Clone> Block<K, V> {
    fn get(&self, key: &K) -> Option<&V> {
        match self.fresh.get(key) {
            Some(fresh) => fresh.as_ref(),
            None => self.settled.get(key),
        }
    }

    fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let settled = &self.settled;
        self.fresh.entry(*key).or_insert_with(|| settled.get(key).cloned()).as_mut()
    }

    /// Rewrites the settled part once enough has changed, so that the copies made for a change stay short.
    fn settle(&mut self) {
        if self.fresh.len() < FRESH.max(self.settled.len() / FRESH) {
            return;
        }
        let settled = Arc::make_mut(&mut self.settled);
        for (key, value) in self.fresh.drain() {
            match value {
                Some(value) => drop(settled.insert(key, value)),
                None => drop(settled.remove(&key)),
            }
        }
    }
}

fn place<K: Hash>(key: &K) -> usize {
    // Bits from the middle: the maps inside the blocks use those at both ends.
    (FixedState::default().hash_one(key) >> 32) as usize % BLOCKS
}
