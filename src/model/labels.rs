//! Labels: identifying text that selectors match.

use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Name;

/// The label keys that Mortise sets itself on what a Provide manifests; they cannot be set to another value.
pub const RESERVED_LABELS: [&str; 6] = ["interface", "name", "version", "environment", "layer", "instance"];

/// The labels of a Component, ordered by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(Vec<(Name, SmolStr)>);

impl Labels {
    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.place(key).ok().map(|place| self.0[place].1.as_str())
    }

    /// Sets a label, replacing the value it had.
    pub fn set(&mut self, key: Name, value: impl Into<SmolStr>) {
        match self.place(key.as_str()) {
            Ok(place) => self.0[place].1 = value.into(),
            Err(place) => self.0.insert(place, (key, value.into())),
        }
    }

    /// The labels in key order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Name, &SmolStr)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    fn place(&self, key: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.as_str().cmp(key))
    }
}

impl FromIterator<(Name, SmolStr)> for Labels {
    /// Of labels with the same key the last one stays.
    fn from_iter<T: IntoIterator<Item = (Name, SmolStr)>>(labels: T) -> Self {
        let mut labels: Vec<_> = labels.into_iter().collect();
        labels.sort_by(|left, right| left.0.cmp(&right.0));
        labels.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                std::mem::swap(later, earlier);
            }
            same
        });
        Self(labels)
    }
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::<Name, SmolStr>::deserialize(deserializer).map(Self::from_iter)
    }
}

/// The layer of a Component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// Serves requests itself.
    Server,
    /// Passes requests on.
    Router,
    /// Makes requests.
    Client,
}

impl Layer {
    /// Every layer, in order.
    pub const ALL: [Self; 3] = [Self::Server, Self::Router, Self::Client];

    /// The layer as written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Router => "router",
            Self::Client => "client",
        }
    }

    /// Reads a layer; exact case.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layer| layer.as_str() == text)
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
