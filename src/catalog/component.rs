//! Components as the Catalog keeps them: one compact row each.

use std::cmp::Ordering;

use smol_str::SmolStr;

use super::symbols::{Symbol, Symbols};
use crate::model::{
    Attributes, ComponentId, ComponentRow, ComponentState, DeploymentId, Labels, Layer, Owner, Slot, Timestamp,
};

/// Where a Component stands in a Catalog. Its order is that of first recording, the same for the same history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(u32);

impl Handle {
    pub(super) fn new(index: usize) -> Self {
        Self(u32::try_from(index).expect("memory ends before four billion Components do"))
    }

    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// The row of a Component, its texts interned.
#[derive(Debug, PartialEq)]
pub(super) struct Stored {
    pub id: ComponentId,
    /// The revision that wrote the row.
    pub revision: u64,
    pub deployment: Option<DeploymentId>,
    pub since: Timestamp,
    /// Sorted by symbol, not by text.
    pub labels: Box<[(Symbol, Symbol)]>,
    pub attributes: Attributes,
    pub name: Symbol,
    pub environment: Symbol,
    /// `None` for a Server.
    pub instance: Option<Symbol>,
    pub system: Option<Symbol>,
    pub interface: Symbol,
    pub version: Option<Symbol>,
    pub layer: Layer,
    pub state: ComponentState,
}

impl Stored {
    pub fn of(row: &ComponentRow, revision: u64, symbols: &mut Symbols) -> Self {
        let mut labels: Box<[_]> =
            row.labels.iter().map(|(key, value)| (symbols.intern(key.shared()), symbols.intern(value))).collect();
        labels.sort_unstable();
        Self {
            id: row.id,
            revision,
            deployment: row.deployment,
            since: row.since,
            labels,
            attributes: row.attributes.clone(),
            name: symbols.intern(row.owner.name().shared()),
            environment: symbols.intern(row.owner.environment().shared()),
            instance: match &row.owner {
                Owner::Slot(slot) => Some(symbols.intern(&slot.instance)),
                Owner::Server { .. } => None,
            },
            system: row.system.as_ref().map(|system| symbols.intern(system.shared())),
            interface: symbols.intern(row.interface.shared()),
            version: row.version.as_ref().map(|version| symbols.intern(version)),
            layer: row.layer,
            state: row.state,
        }
    }

    pub fn label(&self, key: Symbol) -> Option<Symbol> {
        self.labels.binary_search_by_key(&key, |&(key, _)| key).ok().map(|index| self.labels[index].1)
    }
}

/// A Component, read from a Catalog.
#[derive(Clone, Copy)]
pub struct Component<'a> {
    symbols: &'a Symbols,
    stored: &'a Stored,
}

impl<'a> Component<'a> {
    pub(super) fn new(symbols: &'a Symbols, stored: &'a Stored) -> Self {
        Self { symbols, stored }
    }

    pub(super) fn stored(&self) -> &'a Stored {
        self.stored
    }

    /// Its identity.
    pub fn id(&self) -> ComponentId {
        self.stored.id
    }

    /// The revision that wrote its row.
    pub fn revision(&self) -> u64 {
        self.stored.revision
    }

    /// The name of the Artifact, or of the Server, that manifests it.
    pub fn name(&self) -> &'a SmolStr {
        self.symbols.text(self.stored.name)
    }

    /// Whether a Server manifests it.
    pub fn is_server(&self) -> bool {
        self.stored.instance.is_none()
    }

    /// Whether it runs.
    pub fn is_active(&self) -> bool {
        self.stored.state == ComponentState::Active
    }

    /// Its state.
    pub fn state(&self) -> ComponentState {
        self.stored.state
    }

    /// The instance; empty for Servers.
    pub fn instance(&self) -> &'a str {
        self.stored.instance.map_or("", |instance| self.symbols.text(instance))
    }

    /// Where it runs.
    pub fn environment(&self) -> &'a SmolStr {
        self.symbols.text(self.stored.environment)
    }

    /// The System of its Artifact.
    pub fn system(&self) -> Option<&'a SmolStr> {
        self.stored.system.map(|system| self.symbols.text(system))
    }

    /// The Interface that it provides.
    pub fn interface(&self) -> &'a SmolStr {
        self.symbols.text(self.stored.interface)
    }

    /// The layer.
    pub fn layer(&self) -> Layer {
        self.stored.layer
    }

    /// The ArtifactVersion that runs.
    pub fn version(&self) -> Option<&'a SmolStr> {
        self.stored.version.map(|version| self.symbols.text(version))
    }

    /// The attempt that made it what it is.
    pub fn deployment(&self) -> Option<DeploymentId> {
        self.stored.deployment
    }

    /// Since when it has been in its state.
    pub fn since(&self) -> Timestamp {
        self.stored.since
    }

    /// The value of one label.
    pub fn label(&self, key: &str) -> Option<&'a str> {
        let value = self.stored.label(self.symbols.find(key)?)?;
        Some(self.symbols.text(value))
    }

    /// All labels, in key order.
    pub fn labels(&self) -> Labels {
        let pairs = self.stored.labels.iter();
        pairs.map(|&(key, value)| (self.symbols.name(key), self.symbols.text(value).clone())).collect()
    }

    /// All labels as texts, in no order.
    pub fn label_texts(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let symbols = self.symbols;
        let pairs = self.stored.labels.iter();
        pairs.map(|&(key, value)| (symbols.text(key).as_str(), symbols.text(value).as_str()))
    }

    /// The attributes.
    pub fn attributes(&self) -> &'a Attributes {
        &self.stored.attributes
    }

    /// The slot that it belongs to; a Server has none.
    pub fn slot(&self) -> Option<Slot> {
        self.stored.instance.map(|instance| Slot {
            artifact: self.symbols.name(self.stored.name),
            environment: self.symbols.name(self.stored.environment),
            instance: self.symbols.text(instance).clone(),
        })
    }

    /// The absolute row.
    pub fn row(&self) -> ComponentRow {
        let name = |symbol| self.symbols.name(symbol);
        ComponentRow {
            id: self.stored.id,
            owner: self.slot().map_or_else(
                || Owner::Server { name: name(self.stored.name), environment: name(self.stored.environment) },
                Owner::Slot,
            ),
            system: self.stored.system.map(name),
            interface: name(self.stored.interface),
            layer: self.stored.layer,
            version: self.version().cloned(),
            labels: self.labels(),
            attributes: self.stored.attributes.clone(),
            state: self.stored.state,
            since: self.stored.since,
            deployment: self.stored.deployment,
        }
    }

    /// What orders matches: (artifact or server name, interface, layer, environment, instance).
    pub fn match_key(&self) -> (&'a str, &'a str, Layer, &'a str, &'a str) {
        (self.name(), self.interface(), self.layer(), self.environment(), self.instance())
    }

    /// Compares in match order; the id decides between a Server and an Artifact of one name.
    pub fn match_order(&self, other: &Self) -> Ordering {
        self.match_key().cmp(&other.match_key()).then_with(|| self.id().cmp(&other.id()))
    }
}
