//! Labels: identifying text that selectors match.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Name;

/// The label keys that Mortise sets itself on what a Provide manifests; they cannot be set to another value.
pub const RESERVED_LABELS: [&str; 6] = ["interface", "name", "version", "environment", "layer", "instance"];

/// The labels of a Component, ordered by key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Labels(BTreeMap<Name, Arc<str>>);

impl Labels {
    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(AsRef::as_ref)
    }

    /// Sets a label, replacing the value it had.
    pub fn set(&mut self, key: Name, value: impl Into<Arc<str>>) {
        self.0.insert(key, value.into());
    }

    /// The labels in key order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Name, &Arc<str>)> {
        self.0.iter()
    }
}

impl FromIterator<(Name, Arc<str>)> for Labels {
    fn from_iter<T: IntoIterator<Item = (Name, Arc<str>)>>(labels: T) -> Self {
        Self(labels.into_iter().collect())
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
