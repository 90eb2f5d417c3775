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
    ArtifactSpec, Attributes, Code, ComponentId, DeploymentId, FirstDeployment, LateProblem, LateProblemKind, Name,
    Ready, Require, Selector, Settings, Warning,
};
use explain::Explainer;
use matching::{Outcome, Place, World};

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
/// Every [`InvalidText`] of the Provides, or else of `deploymentSpec`: late texts that are wrong whatever matches, or that
/// wait for each other in a ring.
pub fn plan(
    catalog: &Catalog,
    specs: &[ArtifactSpec],
    settings: &Settings,
    mut identities: Identities<'_>,
) -> Result<Plan, Vec<InvalidText>> {
    let world = World::new(catalog, specs, settings, &mut identities);
    let mut planning = Planning {
        world: &world,
        explainer: Explainer::new(&world),
        warnings: specs.iter().map(|spec| spec.warnings.clone()).collect(),
    };
    let outcomes = planning.resolve_requires();
    let attributes = planning.render_attributes(&outcomes)?;
    let deployment_specs = planning.resolve_deployment_specs(&outcomes, &attributes)?;
    let requires = planning.show_requires(outcomes, &attributes);
    let refused = planning.first_deployments();

    let Planning { explainer, warnings, .. } = planning;
    let members = attributes.into_iter().zip(requires).zip(deployment_specs).zip(warnings).enumerate();
    let members = members.map(|(member, (((attributes, requires), deployment_spec), warnings))| PlannedSpec {
        provides: world.provided[member]
            .iter()
            .zip(attributes)
            .map(|(&component, attributes)| PlannedProvide { component, attributes })
            .collect(),
        requires,
        deployment_spec,
        warnings,
    });
    Ok(Plan {
        revision: catalog.revision(),
        active_revision: catalog.active_revision(),
        members: members.collect(),
        verdict: explainer.verdict(&refused),
    })
}

/// The final attributes of every Provide of every member.
type ProvidedAttributes = Vec<Vec<Attributes>>;

/// What is gathered while planning, besides the matches.
struct Planning<'a> {
    world: &'a World<'a>,
    explainer: Explainer<'a>,
    /// Of every member.
    warnings: Vec<Vec<Warning>>,
}

impl<'a> Planning<'a> {
    fn members(&self) -> impl Iterator<Item = (usize, &'a ArtifactSpec)> + use<'a> {
        self.world.specs.iter().enumerate()
    }

    /// What matches the requires of every member.
    fn resolve_requires(&mut self) -> Vec<BTreeMap<Name, Outcome>> {
        let resolve = |(member, spec): (usize, &'a ArtifactSpec)| {
            let outcomes = spec.requires.iter().map(|(name, require)| {
                let place = Place { member, section: "requires", name };
                let Ready::Now(selector) = &require.selector else {
                    unreachable!("only deploymentSpec selectors are ever late")
                };
                let outcome = self.world.resolve(place, require, selector.clone());
                self.explainer.judge(place, require, &outcome, &mut self.warnings[member]);
                (name.clone(), outcome)
            });
            outcomes.collect()
        };
        self.world.specs.iter().enumerate().map(resolve).collect()
    }

    /// The attributes of what the members provide, late ones rendered from what their requires matched.
    fn render_attributes(
        &mut self,
        outcomes: &[BTreeMap<Name, Outcome>],
    ) -> Result<ProvidedAttributes, Vec<InvalidText>> {
        let rendered = late::render_attributes(self.world, outcomes)?;
        for undefined in &rendered.undefined {
            self.explainer.undefined(undefined.member, &undefined.problem, outcomes);
        }
        Ok(rendered.attributes)
    }

    /// The `deploymentSpec` of every member, which may read what its requires matched.
    fn resolve_deployment_specs(
        &mut self,
        outcomes: &[BTreeMap<Name, Outcome>],
        attributes: &ProvidedAttributes,
    ) -> Result<Vec<BTreeMap<Name, Resolved>>, Vec<InvalidText>> {
        let mut invalid = Vec::new();
        let mut members = Vec::with_capacity(self.world.specs.len());
        for (member, spec) in self.members() {
            let mut entries = BTreeMap::new();
            for (name, require) in &spec.deployment_spec {
                let place = Place { member, section: "deploymentSpec", name };
                let resolved = match late::render_asked(self.world, outcomes, attributes, member, require) {
                    Ok(Some((selector, asked))) => {
                        let outcome = self.world.resolve(place, require, selector);
                        self.explainer.judge(place, require, &outcome, &mut self.warnings[member]);
                        self.world.show(place, require, outcome, asked, attributes, &mut self.warnings[member])
                    }
                    // What it reads is unmet, and explained as such.
                    Ok(None) => Resolved::default(),
                    Err(problem) if matches!(problem.kind, LateProblemKind::UndefinedMatch { .. }) => {
                        self.explainer.undefined(member, &problem, outcomes);
                        Resolved::default()
                    }
                    Err(problem) => {
                        invalid.push(InvalidText::of(problem));
                        Resolved::default()
                    }
                };
                entries.insert(name.clone(), resolved);
            }
            members.push(entries);
        }
        if invalid.is_empty() { Ok(members) } else { Err(invalid) }
    }

    /// The requires of every member as the plan shows them.
    fn show_requires(
        &mut self,
        outcomes: Vec<BTreeMap<Name, Outcome>>,
        attributes: &ProvidedAttributes,
    ) -> Vec<BTreeMap<Name, Resolved>> {
        let show = |((member, spec), outcomes): ((usize, &'a ArtifactSpec), BTreeMap<Name, Outcome>)| {
            let resolved = outcomes.into_iter().map(|(name, outcome)| {
                let require = &spec.requires[&name];
                let place = Place { member, section: "requires", name: &name };
                let asked = require.known_attributes().to_vec();
                let resolved = self.world.show(place, require, outcome, asked, attributes, &mut self.warnings[member]);
                (name, resolved)
            });
            resolved.collect()
        };
        self.world.specs.iter().enumerate().zip(outcomes).map(show).collect()
    }

    /// Warns of first deployments, and gives the members whose Environment refuses them.
    fn first_deployments(&mut self) -> Vec<usize> {
        let mut refused = Vec::new();
        for (member, spec) in self.members() {
            let environment = &spec.slot.environment;
            match self.world.catalog.first_deployment(environment, self.world.settings) {
                None | Some(FirstDeployment::Allow) => {}
                Some(FirstDeployment::Warn) => {
                    let message = format!("nothing was ever deployed to {environment} with success; check the name");
                    self.warnings[member].push(Warning::new(Code::FirstDeployment, "/environment", message));
                }
                Some(FirstDeployment::Refuse) => refused.push(member),
            }
        }
        refused
    }
}

/// Whether `plan`, resolved for `specs` at an earlier revision, would be resolved the same against `catalog`.
pub fn still_holds(catalog: &Catalog, specs: &[ArtifactSpec], settings: &Settings, plan: &Plan) -> bool {
    if catalog.active_revision() == plan.active_revision {
        return true;
    }
    let world = World::recalled(catalog, specs, settings, plan);
    let attributes: Vec<Vec<_>> = plan
        .members
        .iter()
        .map(|member| member.provides.iter().map(|provide| provide.attributes.clone()).collect())
        .collect();
    specs.iter().enumerate().all(|(member, spec)| {
        let planned = &plan.members[member];
        let same_identities = spec.provides.iter().zip(&planned.provides).all(|(provide, planned)| {
            world.kept_identity(&spec.slot, provide).is_none_or(|kept| Some(kept) == planned.component)
        });
        let holds = |section, requires: &BTreeMap<Name, Require>, resolved: &BTreeMap<Name, Resolved>| {
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
