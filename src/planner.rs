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
use std::sync::Arc;

pub use check::{Rule, Scrutiny, Violation, check};
pub use explanation::{Candidate, Explanation, FailedExpression, Fix, FixKind, Nearest, Unmet, UnmetKind};

use crate::catalog::Catalog;
use crate::document::Pointer;
use crate::model::{
    ArtifactSpec, Attributes, Code, ComponentId, DeploymentId, FirstDeployment, LateProblem, LateProblemKind, Name,
    Predicate, Ready, ResolvedRequire, ResolvedSpec, Section, Settings, Warning,
};
use explain::Explainer;
use matching::{Outcome, Place, World};

/// The identities that what is new takes, since the planner makes none itself.
#[derive(Clone, Copy, Debug)]
pub enum Identities<'a> {
    /// A dry run: nothing new has an identity.
    Withheld,
    /// A start.
    Given {
        /// Those of the members, in order.
        deployments: &'a [DeploymentId],
        /// One for each Provide of every member, in order: its Component takes it where it is new in its slot.
        components: &'a [ComponentId],
    },
}

/// What a start resolves to.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The revision of the Catalog that it was resolved at.
    pub revision: u64,
    /// The revision that had last changed what is active: while it stands, the matches stand.
    pub active_revision: u64,
    /// One for each specification, in order. Unless the verdict is `yes`, nothing new has an identity.
    pub members: Vec<ResolvedSpec>,
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
    identities: Identities<'_>,
) -> Result<Plan, Vec<InvalidText>> {
    let world = World::new(catalog, specs, settings, identities);
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
    let verdict = explainer.verdict(&refused);
    let members = attributes.into_iter().zip(requires).zip(deployment_specs).zip(warnings).enumerate();
    let members = members.map(|(member, (((attributes, requires), deployment_spec), warnings))| ResolvedSpec {
        description: specs[member].description.clone(),
        annotations: specs[member].annotations.clone(),
        provides: world.provides(member, attributes),
        requires: requires.into_iter().chain(deployment_spec).collect(),
        warnings,
    });
    let mut members: Vec<_> = members.collect();
    if verdict != Verdict::Yes {
        members.iter_mut().for_each(|member| world.withhold(member));
    }
    Ok(Plan { revision: catalog.revision(), active_revision: catalog.active_revision(), members, verdict })
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
                let place = Place { member, section: Section::Requires, name };
                let Ready::Now(selector) = &require.selector else {
                    unreachable!("only deploymentSpec selectors are ever late")
                };
                let predicate = Predicate { interface: require.interface.clone(), selector: selector.clone() };
                let outcome = self.world.resolve(member, Arc::new(predicate));
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
    ) -> Result<Vec<Vec<ResolvedRequire>>, Vec<InvalidText>> {
        let mut invalid = Vec::new();
        let mut members = Vec::with_capacity(self.world.specs.len());
        for (member, spec) in self.members() {
            let mut entries = Vec::with_capacity(spec.deployment_spec.len());
            for (name, require) in &spec.deployment_spec {
                let place = Place { member, section: Section::DeploymentSpec, name };
                let resolved = match late::render_asked(self.world, outcomes, attributes, member, require) {
                    Ok(Some((selector, asked))) => {
                        let predicate = Predicate { interface: require.interface.clone(), selector };
                        let outcome = self.world.resolve(member, Arc::new(predicate));
                        self.explainer.judge(place, require, &outcome, &mut self.warnings[member]);
                        self.world.show(place, require, outcome, asked, attributes, &mut self.warnings[member])
                    }
                    // What it reads is unmet, and explained as such.
                    Ok(None) => matching::unresolved(place, require),
                    Err(problem) if matches!(problem.kind, LateProblemKind::UndefinedMatch { .. }) => {
                        self.explainer.undefined(member, &problem, outcomes);
                        matching::unresolved(place, require)
                    }
                    Err(problem) => {
                        invalid.push(InvalidText::of(problem));
                        continue;
                    }
                };
                entries.push(resolved);
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
    ) -> Vec<Vec<ResolvedRequire>> {
        let show = |((member, spec), outcomes): ((usize, &'a ArtifactSpec), BTreeMap<Name, Outcome>)| {
            let resolved = outcomes.into_iter().map(|(name, outcome)| {
                let require = &spec.requires[&name];
                let place = Place { member, section: Section::Requires, name: &name };
                let asked = require.known_attributes().to_vec();
                self.world.show(place, require, outcome, asked, attributes, &mut self.warnings[member])
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

/// Whether what `specs` were `resolved` to, when what is active had last changed at `active_revision`, would be resolved the
/// same against `catalog`: the same Components, with the same rows.
pub fn still_holds(
    catalog: &Catalog,
    specs: &[ArtifactSpec],
    settings: &Settings,
    active_revision: u64,
    resolved: &[&ResolvedSpec],
) -> bool {
    if catalog.active_revision() == active_revision {
        return true;
    }
    let world = World::recalled(catalog, specs, settings, resolved);
    specs.iter().zip(resolved).enumerate().all(|(member, (spec, resolved))| {
        let same_identities = spec.provides.iter().zip(&resolved.provides).all(|(provide, resolved)| {
            world.kept_identity(&spec.slot, provide).is_none_or(|kept| Some(kept) == resolved.component)
        });
        same_identities
            && resolved.requires.iter().all(|before| {
                let outcome = world.resolve(member, before.predicate.clone());
                !outcome.more && world.matches(&outcome.found).eq(before.matches.iter().copied())
            })
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
