//! Planning: a pure function of a Catalog and rendered specifications.
//!
//! [`plan`] resolves what every member requires as the world will be when all of it is done: what a member provides is a
//! candidate for the others, what a member replaces is not, and no slot ever matches itself. The answer is data: what
//! matched, what it is called, and, where something is unmet, an [`Explanation`]. [`check`] verifies a finished plan
//! without the indexes that found it.

mod check;
mod explain;
mod explanation;
mod fixes;
mod late;
mod matching;
mod render;

use std::collections::BTreeMap;

pub use check::{Rule, Scrutiny, Violation, check};
pub use explanation::{Candidate, Explanation, FailedExpression, Fix, FixKind, Nearest, Unmet, UnmetKind};
pub use matching::Match;

use crate::catalog::Catalog;
use crate::document::Pointer;
use crate::model::{
    ArtifactSpec, Attributes, Code, ComponentId, DeploymentId, FirstDeployment, LateProblem, LateProblemKind, Name, Ready, Selector,
    Settings, Warning,
};
use explain::Explainer;
use matching::{Place, World};

/// Where the planner gets identities from, since it makes none itself.
pub enum Identities<'a> {
    /// A dry run: nothing new has an identity.
    Withheld,
    /// A start: each member's own, and new ones for Components that are new in their slot.
    Given {
        /// The identities of the members, in order.
        deployments: &'a [DeploymentId],
        /// Makes the identity of a new Component.
        component: &'a mut dyn FnMut() -> ComponentId,
    },
}

/// What a start resolves to.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The revision of the Catalog that it was resolved at.
    pub revision: u64,
    /// The revision that had last changed what is active: while it stands, the matches stand.
    pub active_revision: u64,
    /// One for each specification, in order.
    pub members: Vec<PlannedSpec>,
    /// Whether it can be deployed.
    pub verdict: Verdict,
}

/// Whether a plan can be deployed.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Everything required is there.
    Yes,
    /// Something is not.
    No(Explanation),
    /// Everything is there, but policy refuses to decide.
    Unknown(Explanation),
}

/// One specification, resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedSpec {
    /// One for each Provide, in order.
    pub provides: Vec<PlannedProvide>,
    /// One for each require, by name.
    pub requires: BTreeMap<Name, Resolved>,
    /// One for each `deploymentSpec` entry, by name.
    pub deployment_spec: BTreeMap<Name, Resolved>,
    /// What a reader should know; pointers are relative to the specification.
    pub warnings: Vec<Warning>,
}

/// A Provide with its identity and its final attributes.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedProvide {
    /// The identity: that of its predecessor in the slot where there is one; absent where new in a dry run.
    pub component: Option<ComponentId>,
    /// The attributes, late ones rendered; those that could not be are absent.
    pub attributes: Attributes,
}

/// A require and what it matched.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resolved {
    /// Every expression that was applied; empty where a late text in it could not be rendered.
    pub selector: Selector,
    /// The attributes that were asked for; empty: all.
    pub attributes: Vec<String>,
    /// In match order; empty for an ambiguous require.
    pub matches: Vec<Match>,
}

/// Why a specification that parsed cannot be planned at all: a late text is wrong whatever matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidText {
    /// Where, in the document as posted.
    pub pointer: Pointer,
    /// The stable code.
    pub code: Code,
    /// Line and column in the text, from 1, where they are known.
    pub place: Option<(u32, u32)>,
    /// What is wrong, for people.
    pub message: String,
}

/// Resolves `specs` against `catalog`. The slots of `specs` must be distinct.
///
/// The answer depends on nothing but its arguments; matches, warnings and explanation have a fixed order.
///
/// # Errors
/// Every [`InvalidText`]: late texts that are wrong whatever matches, or that wait for each other in a ring.
pub fn plan(
    catalog: &Catalog,
    specs: &[ArtifactSpec],
    settings: &Settings,
    mut identities: Identities<'_>,
) -> Result<Plan, Vec<InvalidText>> {
    let world = World::new(catalog, specs, settings, &mut identities);
    let mut explainer = Explainer::new(&world);
    let mut warnings: Vec<_> = specs.iter().map(|spec| spec.warnings.clone()).collect();

    let mut requires: Vec<BTreeMap<Name, matching::Outcome>> = Vec::with_capacity(specs.len());
    for (member, spec) in specs.iter().enumerate() {
        let mut outcomes = BTreeMap::new();
        for (name, require) in &spec.requires {
            let place = Place { member, section: "requires", name };
            let Ready::Now(selector) = &require.selector else {
                unreachable!("only deploymentSpec selectors are ever late")
            };
            let outcome = world.resolve(place, require, selector.clone());
            explainer.judge(place, require, &outcome, &mut warnings[member]);
            outcomes.insert(name.clone(), outcome);
        }
        requires.push(outcomes);
    }

    let rendered = late::render_attributes(&world, &requires)?;
    for undefined in &rendered.undefined {
        explainer.undefined(undefined.member, &undefined.problem, &requires);
    }

    let mut members = Vec::with_capacity(specs.len());
    for (member, spec) in specs.iter().enumerate() {
        let warnings = &mut warnings[member];
        let mut deployment_spec = BTreeMap::new();
        for (name, require) in &spec.deployment_spec {
            let place = Place { member, section: "deploymentSpec", name };
            let asked = late::render_asked(&world, &requires, &rendered.attributes, member, require);
            let resolved = match asked {
                Ok(Some((selector, attributes))) => {
                    let outcome = world.resolve(place, require, selector);
                    explainer.judge(place, require, &outcome, warnings);
                    world.show(place, require, outcome, attributes, &rendered.attributes, warnings)
                }
                Ok(None) => Resolved::default(),
                Err(problem) if matches!(problem.kind, LateProblemKind::UndefinedMatch { .. }) => {
                    explainer.undefined(member, &problem, &requires);
                    Resolved::default()
                }
                Err(problem) => return Err(vec![InvalidText::of(problem)]),
            };
            deployment_spec.insert(name.clone(), resolved);
        }
        let mut shown = BTreeMap::new();
        for (name, outcome) in std::mem::take(&mut requires[member]) {
            let require = &spec.requires[&name];
            let place = Place { member, section: "requires", name: &name };
            let asked = require.known_attributes().to_vec();
            let resolved = world.show(place, require, outcome, asked, &rendered.attributes, warnings);
            shown.insert(name, resolved);
        }
        let provides = world.provided[member].iter().zip(&rendered.attributes[member]);
        members.push(PlannedSpec {
            provides: provides
                .map(|(&component, attributes)| PlannedProvide { component, attributes: attributes.clone() })
                .collect(),
            requires: shown,
            deployment_spec,
            warnings: std::mem::take(warnings),
        });
    }

    let mut refused = Vec::new();
    for (member, spec) in specs.iter().enumerate() {
        match catalog.first_deployment(&spec.slot.environment, settings) {
            None | Some(FirstDeployment::Allow) => {}
            Some(FirstDeployment::Warn) => members[member].warnings.push(Warning::new(
                Code::FirstDeployment,
                "/environment",
                format!("nothing was ever deployed to {} with success; check the name", spec.slot.environment),
            )),
            Some(FirstDeployment::Refuse) => refused.push(member),
        }
    }
    Ok(Plan {
        revision: catalog.revision(),
        active_revision: catalog.active_revision(),
        members,
        verdict: explainer.verdict(&refused),
    })
}

/// Whether `plan`, resolved for `specs` at an earlier revision, would be resolved the same against `catalog`.
pub fn still_holds(catalog: &Catalog, specs: &[ArtifactSpec], settings: &Settings, plan: &Plan) -> bool {
    if catalog.active_revision() == plan.active_revision {
        return true;
    }
    let world = World::recalled(catalog, specs, settings, plan);
    let attributes: Vec<Vec<_>> =
        plan.members.iter().map(|member| member.provides.iter().map(|provide| provide.attributes.clone()).collect()).collect();
    specs.iter().enumerate().all(|(member, spec)| {
        let planned = &plan.members[member];
        let same_identities = spec.provides.iter().zip(&planned.provides).all(|(provide, planned)| {
            world.kept_identity(&spec.slot, provide).is_none_or(|kept| Some(kept) == planned.component)
        });
        let holds = |section, requires: &BTreeMap<Name, crate::model::Require>, resolved: &BTreeMap<Name, Resolved>| {
            requires.iter().all(|(name, require)| {
                let place = Place { member, section, name };
                let before = &resolved[name];
                let outcome = world.resolve(place, require, before.selector.clone());
                world.show(place, require, outcome, before.attributes.clone(), &attributes, &mut Vec::new()) == *before
            })
        };
        same_identities
            && holds("requires", &spec.requires, &planned.requires)
            && holds("deploymentSpec", &spec.deployment_spec, &planned.deployment_spec)
    })
}

impl InvalidText {
    fn of(problem: LateProblem) -> Self {
        let code = match problem.kind {
            LateProblemKind::Invalid(code) => code,
            LateProblemKind::UndefinedMatch { .. } => Code::UndefinedMatch,
        };
        Self { pointer: problem.pointer, code, place: problem.place, message: problem.message }
    }
}
