//! Postings: which Components have a label.

use std::sync::Arc;

use super::Handle;

/// A set of handles in ascending order. Most labels are rare, so small sets stand in one block of their own.
#[derive(Clone, Debug)]
pub enum Posting {
    /// Exactly one.
    One(Handle),
    /// A few, sorted.
    Few(Arc<[Handle]>),
    /// Many.
    Many(imbl::OrdSet<Handle>),
}

/// The size from which a posting is a tree.
const MANY: usize = 48;

impl Posting {
    /// How many handles are in it.
    pub fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Few(handles) => handles.len(),
            Self::Many(handles) => handles.len(),
        }
    }

    /// Adds a handle.
    pub fn insert(&mut self, handle: Handle) {
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
    pub fn remove(&mut self, handle: Handle) -> bool {
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
    pub fn iter(&self) -> Box<dyn Iterator<Item = Handle> + '_> {
        match self {
            Self::One(handle) => Box::new(std::iter::once(*handle)),
            Self::Few(handles) => Box::new(handles.iter().copied()),
            Self::Many(handles) => Box::new(handles.iter().copied()),
        }
    }

    fn small(&self) -> Vec<Handle> {
        match self {
            Self::One(handle) => vec![*handle],
            Self::Few(handles) => handles.to_vec(),
            Self::Many(_) => unreachable!("only small postings are copied whole"),
        }
    }

    fn of(handles: Vec<Handle>) -> Self {
        match handles.as_slice() {
            [only] => Self::One(*only),
            few if few.len() < MANY => Self::Few(handles.into()),
            _ => Self::Many(handles.into_iter().collect()),
        }
    }
}
