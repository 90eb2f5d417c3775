//! Attempts and plans as the history has them: the rows that belong together.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{
    Attributes, ComponentId, ComponentRow, DeploymentSpec, EndingRow, KeptToken, LeaseToken, PlanId, ReceivedRow,
    ResolutionRow,
};

/// An attempt and what belongs to it.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The attempt as it is now.
    pub spec: DeploymentSpec,
    /// The token that it was opened with last, as it is kept.
    pub kept_token: Option<KeptToken>,
    /// The token itself, for whoever is to be told it.
    pub token: Option<LeaseToken>,
    /// Specification and inputs as received.
    pub received: Arc<ReceivedRow>,
    /// What its newest opening resolved to.
    pub resolution: Arc<ResolutionRow>,
    /// Every attempt that was resolved in the same ChangeSet, in order: what [`Origin::Member`](super::Origin::Member) refers to.
    pub together: Arc<[ResolvedAttempt]>,
    /// The attributes of its Components as they turned out; empty where they are as planned.
    pub made: BTreeMap<ComponentId, Attributes>,
    /// What is to be known of its end besides, where there is anything.
    pub ending: Option<EndingRow>,
}

/// A plan.
#[derive(Clone, Debug)]
pub struct PlanRecord {
    /// Its identity; that of the attempt where one member of a set is looked at alone.
    pub id: PlanId,
    /// Whether it is looked at as a set.
    pub is_set: bool,
    /// The attempts that it shows, in the order of the request.
    pub members: Vec<Attempt>,
}

/// An attempt as it was when it was resolved.
#[derive(Clone, Debug)]
pub struct ResolvedAttempt {
    /// The attempt.
    pub spec: DeploymentSpec,
    /// What it resolved to.
    pub resolution: Arc<ResolutionRow>,
}

/// The rows that matches refer to, by Component and by the revision that wrote them.
pub type ComponentRows = BTreeMap<(ComponentId, u64), ComponentRow>;
