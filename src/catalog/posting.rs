//! Postings: which Components have a label, or which slots would provide an Interface.

use std::ops::Bound;
use std::sync::Arc;

/// A set of handles, or of anything as small, in ascending order. Most labels are rare, so small sets stand in one block of their own.
#[derive(Clone)]
pub enum Posting<H> {
    /// Exactly one.
    One(H),
    /// A few, sorted.
    // Thin pointers: there is a posting for every label of every Component.
    Few(Arc<Vec<H>>),
    /// Many.
    Many(Box<imbl::OrdSet<H>>),
}

/// The size from which a posting is a tree.
const MANY: usize = 48;

impl<H: Copy + Ord> Posting<H> {
    /// How many handles are in it.
    pub fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Few(handles) => handles.len(),
            Self::Many(handles) => handles.len(),
        }
    }

    /// Adds a handle.
    pub fn insert(&mut self, handle: H) {
        match self {
            Self::Many(handles) => {
                handles.insert(handle);
            }
            Self::One(_) | Self::Few(_) => {
                let mut handles = self.small();
                if let Err(place) = handles.binary_search(&handle) {
                    handles.insert(place, handle);
                    *self = Self::of(handles);
                }
            }
        }
    }

    /// Removes a handle; true when nothing is left.
    pub fn remove(&mut self, handle: H) -> bool {
        match self {
            Self::Many(handles) => {
                handles.remove(&handle);
                handles.is_empty()
            }
            Self::One(_) | Self::Few(_) => {
                let mut handles = self.small();
                handles.retain(|&other| other != handle);
                let empty = handles.is_empty();
                if !empty {
                    *self = Self::of(handles);
                }
                empty
            }
        }
    }

    /// The handles in ascending order.
    pub fn iter(&self) -> Box<dyn Iterator<Item = H> + '_> {
        self.iter_after(None)
    }

    /// The handles after `after`, in ascending order.
    pub fn iter_after(&self, after: Option<H>) -> Box<dyn Iterator<Item = H> + '_> {
        let is_passed = move |handle: &H| after.is_some_and(|after| *handle <= after);
        match self {
            Self::One(handle) => Box::new(Some(*handle).filter(|handle| !is_passed(handle)).into_iter()),
            Self::Few(handles) => Box::new(handles[handles.partition_point(is_passed)..].iter().copied()),
            Self::Many(handles) => {
                let from = after.map_or(Bound::Unbounded, Bound::Excluded);
                Box::new(handles.range((from, Bound::Unbounded)).copied())
            }
        }
    }

    fn small(&self) -> Vec<H> {
        match self {
            Self::One(handle) => vec![*handle],
            Self::Few(handles) => handles.to_vec(),
            Self::Many(_) => unreachable!("only small postings are copied whole"),
        }
    }

    fn of(handles: Vec<H>) -> Self {
        match handles.as_slice() {
            [only] => Self::One(*only),
            few if few.len() < MANY => Self::Few(Arc::new(handles)),
            _ => Self::Many(Box::new(handles.into_iter().collect())),
        }
    }
}
