//! Settings that change answers, and are therefore kept in the store.

use serde::{Deserialize, Serialize};

use super::Dialect;

/// What to say of the first deployment ever to an Environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FirstDeployment {
    /// Nothing.
    #[default]
    Allow,
    /// A warning.
    Warn,
    /// The verdict `unknown`.
    Refuse,
}

/// Dialect, limits and policies: whoever answers with others would answer differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// How a bare `+` and `?` are read.
    pub quantifier_dialect: Dialect,
    /// The policy for Environments that have none of their own.
    pub first_deployment: FirstDeployment,
    /// The most requires (`requires` and `deploymentSpec` entries together) of one specification.
    pub max_requires: u32,
    /// The most matches of one require.
    pub max_matches: u32,
    /// The most bytes that a plan shows beyond what was posted, above all the attributes of its matches.
    pub max_plan_bytes: u32,
    /// The most comparisons of labels that resolving a plan may take.
    pub max_comparisons: u32,
    /// The deepest nesting of a posted document.
    pub max_depth: u32,
    /// Whether a finish must carry the lease's token.
    pub finish_needs_token: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            quantifier_dialect: Dialect::Document,
            first_deployment: FirstDeployment::Allow,
            max_requires: 1_000,
            max_matches: 1_000,
            max_plan_bytes: 16 << 20,
            max_comparisons: 20_000_000,
            max_depth: 64,
            finish_needs_token: false,
        }
    }
}
