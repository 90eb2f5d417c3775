//! Who requires what, as it is seen from what is required.

use super::{DeploymentId, DeploymentSpec, Name, Scope, Slot};

/// A require of what is active in a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirer {
    /// The slot.
    pub slot: Slot,
    /// The name of the require.
    pub require: Name,
    /// The attempt that is active in the slot.
    pub deployment: DeploymentId,
}

impl Requirer {
    /// The require `require` of an attempt.
    pub fn new(attempt: &DeploymentSpec, require: &Name) -> Self {
        Self { slot: attempt.slot.clone(), require: require.clone(), deployment: attempt.id }
    }
}

/// A require that matched a given Component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coupling {
    /// Whose require it is.
    pub requirer: Requirer,
    /// The scope of the require.
    pub scope: Scope,
    /// Whether the Component no longer is what was required; only scope `runtime` can break.
    pub broken: bool,
}
