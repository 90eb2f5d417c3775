//! Why a plan cannot be deployed: data, from which text is rendered elsewhere.

use smol_str::SmolStr;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{ComponentId, DeploymentId, Expression, Name, Quantifier};

/// Why a plan cannot be deployed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// One sentence.
    pub summary: String,
    /// What is unmet, in the order of the members, then `requires` before `deploymentSpec`, then by name.
    pub unmet: Vec<Unmet>,
    /// Whether more is unmet than is explained here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
    /// How many are unmet in all, where not all are explained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<usize>,
}

/// What kind of thing is unmet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnmetKind {
    /// Too few match.
    Unmatched,
    /// Too many match for the quantifier.
    Ambiguous,
    /// A text reads a match, or an attribute of one, that is not there.
    UndefinedMatch,
    /// More match than any require may have.
    TooManyMatches,
    /// Nothing was ever deployed to the Environment with success, and its policy refuses to decide.
    FirstDeployment,
}

/// One thing that is unmet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unmet {
    /// Which specification of the request, from 0.
    #[serde(skip)]
    pub member: usize,
    /// Where: relative to a specification while planning, into the plan in an answer.
    pub pointer: String,
    /// The name of the require; absent for the first-deployment policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require: Option<Name>,
    /// The kind.
    pub kind: UnmetKind,
    /// The Interface that is required, where one is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<Name>,
    /// The one Environment that is asked for; absent where the selector asks for none, or for several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<SmolStr>,
    /// How many must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed: Option<Quantifier>,
    /// How many do; at least so many, where `truncated`.
    pub found: usize,
    /// How many candidates were examined.
    pub considered: usize,
    /// For each label key, how many candidates fail an expression on it.
    #[serde(default)]
    pub reasons: BTreeMap<Name, usize>,
    /// The candidates nearest to matching.
    #[serde(default)]
    pub nearest: Vec<Nearest>,
    /// Where it is ambiguous: what matches, in match order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Candidate>,
    /// What to do, the most specific first.
    #[serde(default)]
    pub fixes: Vec<Fix>,
    /// What is undefined, for that kind; what else is to be known, for others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Whether there were more candidates than were examined or are shown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

/// Which Component is meant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// Its identity; absent for a new Provide of another member in a dry run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<ComponentId>,
    /// The Artifact that manifests it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<SmolStr>,
    /// The Server that manifests it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<SmolStr>,
    /// The ArtifactVersion that runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<SmolStr>,
    /// Where.
    pub environment: SmolStr,
    /// The instance, where not empty.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub instance: SmolStr,
    /// What it provides.
    pub interface: SmolStr,
}

/// A candidate that fails only a little.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Nearest {
    /// Which Component.
    #[serde(flatten)]
    pub candidate: Candidate,
    /// The expressions that it fails, in written order, defaults last.
    pub failed: Vec<FailedExpression>,
}

/// An expression that a candidate fails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedExpression {
    /// Where the expression stands in the plan.
    pub pointer: String,
    /// The expression.
    #[serde(flatten)]
    pub expression: Expression,
    /// The value that the candidate has; absent where it lacks the label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<SmolStr>,
    /// What is surprising about that, if anything is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The kinds of fixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FixKind {
    /// Give up an expression that the nearest candidate fails, or accept its value.
    Relax,
    /// A label key or an Interface is one edit away.
    RenameKey,
    /// Ask for fewer, or accept more.
    WidenQuantifier,
    /// Add an expression that tells the candidates apart.
    Narrow,
    /// An open attempt, or a member of the set, would provide it.
    Deploy,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fix {
    /// The kind.
    pub kind: FixKind,
    /// What to change.
    pub pointer: String,
    /// For people.
    pub message: String,
    /// The open attempt that would provide it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<DeploymentId>,
}

impl Explanation {
    /// The same explanation, its pointers moved below what `prefix` gives for the member that they are in.
    #[must_use]
    pub fn below(mut self, prefix: impl Fn(usize) -> String) -> Self {
        for unmet in &mut self.unmet {
            let prefix = prefix(unmet.member);
            let failed =
                unmet.nearest.iter_mut().flat_map(|nearest| &mut nearest.failed).map(|failed| &mut failed.pointer);
            let fixes = unmet.fixes.iter_mut().map(|fix| &mut fix.pointer);
            for pointer in failed.chain(fixes).chain([&mut unmet.pointer]) {
                pointer.insert_str(0, &prefix);
            }
        }
        self
    }
}
