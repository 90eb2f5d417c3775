//! Labels, types and properties: the words of the graph.

use std::collections::BTreeMap;
use std::fmt;

use smol_str::SmolStr;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident $word:literal $about:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(#[doc = $about] $variant,)*
        }

        impl $name {
            /// Every one of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word as it stands in the graph.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words!(
    /// The labels of nodes. A node has one.
    Label {
        System "System" "A System.",
        Artifact "Artifact" "An Artifact.",
        ArtifactVersion "ArtifactVersion" "One version of an Artifact.",
        Environment "Environment" "An Environment.",
        Interface "Interface" "An Interface.",
        Server "Server" "A Server.",
        Plan "Plan" "A Plan that was posted as a set.",
        DeploymentSpec "DeploymentSpec" "An attempt.",
        Lease "Lease" "What an attempt was opened under.",
        Component "Component" "A Component.",
        ComponentLabel "Label" "A key and a value that Components are labelled with.",
        Require "Require" "A require of an attempt, or an entry of its `deploymentSpec`.",
        IdempotencyKey "IdempotencyKey" "An idempotency key.",
        Settings "Settings" "The settings that change answers.",
        Change "Change" "A step of the history.",
        Head "Head" "Where the history ends.",
    }
);

words!(
    /// The types of relationships.
    RelationshipType {
        Owns "OWNS" "System to Artifact.",
        Defines "DEFINES" "System to Interface.",
        HasVersion "HAS_VERSION" "Artifact to ArtifactVersion.",
        Includes "INCLUDES" "Plan to DeploymentSpec, with its place `n`.",
        Deploys "DEPLOYS" "DeploymentSpec to ArtifactVersion.",
        In "IN" "DeploymentSpec or Server to Environment.",
        LeasedAs "LEASED_AS" "DeploymentSpec to Lease.",
        Plans "PLANS" "Open DeploymentSpec to a Component that it would manifest.",
        Manifests "MANIFESTS" "DeploymentSpec or Server to Component, `active` or no more.",
        Provides "PROVIDES" "Component to Interface.",
        Labelled "LABELLED" "Component to Label.",
        Requires "REQUIRES" "DeploymentSpec to Require.",
        Of "OF" "Require to Interface.",
        Matched "MATCHED" "Require to Component.",
        Coupled "COUPLED" "Active DeploymentSpec to Component, by the name of the `require`.",
    }
);

impl Label {
    /// The properties that together are unique among the nodes of this label. All of them are texts.
    pub fn key(self) -> &'static [&'static str] {
        match self {
            Self::System | Self::Artifact | Self::Environment | Self::Interface | Self::Server | Self::Head => {
                &["name"]
            }
            Self::ArtifactVersion => &["artifact", "version"],
            Self::ComponentLabel => &["key", "value"],
            Self::IdempotencyKey => &["key"],
            Self::Plan
            | Self::DeploymentSpec
            | Self::Lease
            | Self::Component
            | Self::Require
            | Self::Settings
            | Self::Change => &["id"],
        }
    }
}

/// Which node: its label, and its key in the order of [`Label::key`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeKey {
    /// The label.
    pub label: Label,
    /// The value of the first key property.
    pub first: SmolStr,
    /// The value of the second one; empty where the label has one.
    pub second: SmolStr,
}

impl NodeKey {
    /// The node of a label with one key property.
    pub fn new(label: Label, key: impl Into<SmolStr>) -> Self {
        debug_assert_eq!(label.key().len(), 1, "{label} has more than one key property");
        Self { label, first: key.into(), second: SmolStr::default() }
    }

    /// The node of a label with two key properties.
    pub fn pair(label: Label, first: impl Into<SmolStr>, second: impl Into<SmolStr>) -> Self {
        debug_assert_eq!(label.key().len(), 2, "{label} has not two key properties");
        Self { label, first: first.into(), second: second.into() }
    }

    /// The key properties and their values.
    pub fn properties(&self) -> impl Iterator<Item = (&'static str, &SmolStr)> {
        self.label.key().iter().copied().zip([&self.first, &self.second])
    }
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({} {}", self.label, self.first)?;
        if !self.second.is_empty() {
            write!(f, " {}", self.second)?;
        }
        f.write_str(")")
    }
}

/// Which relationship: its ends, its type and, where two nodes can have several of a type, what tells them apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelationshipKey {
    /// The node that it starts from.
    pub from: NodeKey,
    /// The type.
    pub kind: RelationshipType,
    /// The node that it leads to.
    pub to: NodeKey,
    /// The value of `require` for [`RelationshipType::Coupled`]; empty for the others.
    pub require: SmolStr,
}

/// The value of a property.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "each is a value of that kind")]
pub enum Value {
    Text(String),
    Integer(i64),
    Boolean(bool),
}

/// Properties to set, by name; `None` removes one. Those not named stay as they are.
pub type Properties = BTreeMap<&'static str, Option<Value>>;

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<u64> for Value {
    /// Numbers that a database cannot hold are as great as it can hold.
    fn from(value: u64) -> Self {
        Self::Integer(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Integer(value.into())
    }
}
