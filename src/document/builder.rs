//! Puts a tree together in the order in which a reader meets its nodes, within bounds.

use std::collections::HashSet;

use smol_str::SmolStr;

use super::{
    Document, DocumentError, DocumentErrorKind, Duplicate, Limits, Member, Node, NodeValue, Place, Pointer, Scalar,
    Style, Syntax,
};

/// Builds the tree, counts what is in it, and notes the keys that stand twice.
///
/// The readers see to it that a key comes only where an object is open, and a close only where something is.
pub(super) struct Builder {
    limits: Limits,
    nodes: usize,
    open: Vec<Open>,
    /// The finished elements of all open arrays, the innermost's last. When nothing is open, the root.
    // One stack for all, so that an array takes memory once, when its length is known. Likewise the members.
    elements: Vec<Node>,
    /// The members of all open objects, the innermost's last. A member that awaits its value stands here without one.
    members: Vec<Member>,
    duplicates: Vec<Duplicate>,
    duplicate_bytes: usize,
}

struct Open {
    place: Place,
    content: Content,
}

enum Content {
    Array {
        /// Where its elements begin.
        first: usize,
    },
    Object {
        /// Where its members begin.
        first: usize,
        /// Whether the last member awaits its value.
        awaits_value: bool,
        /// Whether the key of that member stood before, so that it is dropped when its value has been read.
        repeated: bool,
        /// The keys of the members once there are too many of them to look through one by one.
        keys: Option<HashSet<SmolStr>>,
    },
}

/// A step of a pointer.
enum Token<'a> {
    Index(usize),
    Key(&'a str),
}

/// What can be open.
#[derive(Clone, Copy)]
pub(super) enum Collection {
    Array,
    Object,
}

/// The bound in [`Limits`] that a document goes beyond.
#[derive(Clone, Copy)]
pub(super) enum Excess {
    Depth(usize),
    Nodes(usize),
}

impl Excess {
    /// The error, once the reader has found out where it stands.
    pub(super) fn at(self, place: Place) -> DocumentError {
        let (kind, message) = match self {
            Self::Depth(depth) => (
                DocumentErrorKind::TooDeep,
                format!("more than {depth} arrays and objects stand inside each other (the setting max-depth)"),
            ),
            Self::Nodes(nodes) => (
                DocumentErrorKind::TooLarge,
                format!("the document has more than {nodes} nodes, aliases expanded (limit document-nodes)"),
            ),
        };
        DocumentError::new(kind, &message, place)
    }
}

/// Up to so many members, looking through them is cheaper than hashing.
const FEW_MEMBERS: usize = 16;
/// The most bytes of the list of duplicates. Of very many, some tell as much as all.
const DUPLICATE_BYTES: usize = 64 * 1024;

impl Builder {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            nodes: 0,
            open: Vec::with_capacity(8),
            elements: Vec::with_capacity(8),
            members: Vec::with_capacity(16),
            duplicates: Vec::new(),
            duplicate_bytes: 0,
        }
    }

    /// Counts nodes that are about to be made.
    pub(super) fn count(&mut self, nodes: usize) -> Result<(), Excess> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > self.limits.nodes { Err(Excess::Nodes(self.limits.nodes)) } else { Ok(()) }
    }

    /// Refuses a node of `levels` levels that is about to be put into the innermost open node, where that gets too deep.
    pub(super) fn check_depth(&self, levels: usize) -> Result<(), Excess> {
        if self.open.len() + levels > self.limits.depth { Err(Excess::Depth(self.limits.depth)) } else { Ok(()) }
    }

    /// What the innermost open node is; `None` when nothing is open.
    pub(super) fn innermost(&self) -> Option<Collection> {
        self.open.last().map(|open| match open.content {
            Content::Array { .. } => Collection::Array,
            Content::Object { .. } => Collection::Object,
        })
    }

    /// Whether an object is open that awaits a key.
    pub(super) fn awaits_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { content: Content::Object { awaits_value: false, .. }, .. }))
    }

    pub(super) fn open_array(&mut self, place: Place) -> Result<(), Excess> {
        self.open(Content::Array { first: self.elements.len() }, place)
    }

    pub(super) fn open_object(&mut self, place: Place) -> Result<(), Excess> {
        self.open(
            Content::Object { first: self.members.len(), awaits_value: false, repeated: false, keys: None },
            place,
        )
    }

    fn open(&mut self, content: Content, place: Place) -> Result<(), Excess> {
        self.check_depth(1)?;
        self.count(1)?;
        self.open.push(Open { place, content });
        Ok(())
    }

    /// Takes the key of the next member. Its place is asked for only where the key stands twice; each place that is asked
    /// for lies behind the one before.
    pub(super) fn key(&mut self, text: SmolStr, place: impl FnOnce() -> Place) {
        let Some(Open { content: Content::Object { first, awaits_value, repeated, keys }, .. }) = self.open.last_mut()
        else {
            unreachable!("a reader gives a key only where an object is open");
        };
        let members = &self.members[*first..];
        *repeated = if members.len() < FEW_MEMBERS {
            members.iter().any(|member| member.key == text)
        } else {
            let keys = keys.get_or_insert_with(|| members.iter().map(|member| member.key.clone()).collect());
            !keys.insert(text.clone())
        };
        *awaits_value = true;
        let repeated = *repeated;
        // The key is put where it stays: moving it costs more than anything else here.
        let value = Node { value: NodeValue::Array(Vec::new()), place: Place::default() };
        self.members.push(Member { key: text, value });
        if repeated && (self.duplicates.is_empty() || self.duplicate_bytes < DUPLICATE_BYTES) {
            let pointer = self.pointer();
            self.duplicate_bytes += size_of::<Duplicate>() + pointer.as_str().len();
            self.duplicates.push(Duplicate { pointer, place: place() });
        }
    }

    /// The pointer to what comes next.
    fn pointer(&self) -> Pointer {
        // The elements of an array end where those of the next array in it begin; likewise the members.
        let (mut elements, mut members) = (self.elements.len(), self.members.len());
        let mut tokens = Vec::with_capacity(self.open.len());
        for open in self.open.iter().rev() {
            tokens.push(match open.content {
                Content::Array { first } => Token::Index(std::mem::replace(&mut elements, first) - first),
                Content::Object { first, .. } => {
                    Token::Key(&self.members[std::mem::replace(&mut members, first) - 1].key)
                }
            });
        }
        tokens.into_iter().rev().fold(Pointer::root(), |pointer, token| match token {
            Token::Index(index) => pointer.index(index),
            Token::Key(key) => pointer.join(key),
        })
    }

    pub(super) fn scalar(&mut self, text: SmolStr, style: Style, place: Place) -> Result<(), Excess> {
        self.count(1)?;
        self.attach(Node { value: NodeValue::Scalar(Scalar { text, style }), place });
        Ok(())
    }

    /// Ends the innermost open node and hands it out, to be attached.
    pub(super) fn close(&mut self) -> Node {
        let Some(Open { place, content }) = self.open.pop() else {
            unreachable!("a reader closes only what it opened");
        };
        let value = match content {
            Content::Array { first } => NodeValue::Array(self.elements.drain(first..).collect()),
            Content::Object { first, .. } => NodeValue::Object(self.members.drain(first..).collect()),
        };
        Node { value, place }
    }

    /// Puts a finished node where it belongs. It has been counted.
    pub(super) fn attach(&mut self, node: Node) {
        match self.open.last_mut().map(|open| &mut open.content) {
            None | Some(Content::Array { .. }) => self.elements.push(node),
            Some(Content::Object { awaits_value, repeated, .. }) => {
                *awaits_value = false;
                if *repeated {
                    self.members.pop();
                } else if let Some(member) = self.members.last_mut() {
                    member.value = node;
                }
            }
        }
    }

    pub(super) fn finish(mut self, syntax: Syntax) -> Document {
        let Some(root) = self.elements.pop() else {
            unreachable!("a reader ends a document only when it has read one");
        };
        Document { syntax, root, duplicates: self.duplicates }
    }
}
