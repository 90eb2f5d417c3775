//! A JSON value kept as its text.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use super::{Document, Json, Limits, Node};

/// A JSON value kept as its compact text. It is cheap to clone, for values that are handed on far more often than read.
#[derive(Clone)]
pub struct JsonText(Arc<RawValue>);

impl JsonText {
    /// The text of `value`.
    ///
    /// # Errors
    /// What serde_json says where `value` has no JSON form (a map whose keys are no texts).
    pub fn of(value: &impl Serialize) -> serde_json::Result<Self> {
        to_raw_value(value).map(|raw| Self(raw.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// The value as a tree, as if it had just been read.
    pub fn to_node(&self) -> Node {
        let document = Document::from_json(self.as_str().as_bytes(), Limits::OWN);
        document.expect("a JsonText is JSON, for it was serialized or read as such").root
    }

    /// Of an object the members with these names, in the order of `names`, and the names that are lacking; a repeated name counts
    /// once. Values are handed on as text: of what is not asked for no more is read than where it ends.
    pub fn select<'a, N: AsRef<str> + ?Sized + 'a>(
        &self,
        names: impl IntoIterator<Item = &'a N>,
    ) -> (Self, Vec<&'a str>) {
        let members: HashMap<String, &RawValue> = serde_json::from_str(self.as_str()).unwrap_or_default();
        let mut seen = HashSet::new();
        let names = names.into_iter().map(AsRef::as_ref).filter(|name: &&str| seen.insert(*name));
        let (known, lacking): (Vec<_>, Vec<_>) = names.partition(|name| members.contains_key(*name));
        let selected = Selected(known.into_iter().map(|name| (name, members[name])).collect());
        (Self::of(&selected).expect("the keys are texts, and the values JSON"), lacking)
    }

    /// The value.
    pub fn to_json(&self) -> Json {
        self.to_node().to_json()
    }
}

/// Members of an object, in order.
struct Selected<'a>(Vec<(&'a str, &'a RawValue)>);

impl Serialize for Selected<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

impl From<&Json> for JsonText {
    fn from(json: &Json) -> Self {
        Self::of(json).expect("the keys of Json are texts, and its numbers JSON")
    }
}

impl From<&Node> for JsonText {
    /// The text of the same value as that of [`Node::to_json`].
    fn from(node: &Node) -> Self {
        Self::of(node).expect("the keys of a Node are texts, and its numbers JSON")
    }
}

impl PartialEq for JsonText {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for JsonText {}

impl fmt::Debug for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for JsonText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for JsonText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|raw| Self(raw.into()))
    }
}
