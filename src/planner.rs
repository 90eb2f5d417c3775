//! Planning: a pure function of a Catalog and rendered specifications.
//!
//! [`plan`] resolves what every member requires as the world will be when all of it is done: what a member provides is a
//! candidate for the others, what a member replaces is not, and no slot ever matches itself. The answer is data: what
//! matched, what it is called, and, where something is unmet, an [`Explanation`]. [`check`] verifies a finished plan
//! without the indexes that found it.

mod check;
mod excess;
mod explain;
mod explanation;
mod fixes;
mod late;
mod matching;
mod render;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use check::{Rule, Scrutiny, Violation, check};
pub use excess::{Excess, TooLarge};
pub use explanation::{Candidate, Explanation, FailedExpression, Fix, FixKind, Nearest, Unmet, UnmetKind};

use crate::catalog::{Catalog, Effort};
use crate::document::Pointer;
use crate::model::limits::EXPLAINING_COMPARISONS;
use crate::model::{
    ArtifactSpec, Attributes, Code, ComponentId, DeploymentId, FirstDeployment, LateProblem, LateProblemKind, Name,
    Predicate, Ready, Require, ResolvedRequire, ResolvedSpec, Section, Settings, Warning,
};
use explain::Explainer;
use late::{LateError, LateTexts};
use matching::{KeptIdentities, Outcome, Place, World};

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
    /// About how many bytes its matches are shown with.
    pub shown_bytes: usize,
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

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unplannable {
    /// Late texts are wrong whatever matches, or wait for each other in a ring: all those of the Provides, or else of
    /// `deploymentSpec`.
    Invalid(Vec<InvalidText>),
    /// It passes a bound.
    TooLarge(TooLarge),
}

impl From<Vec<InvalidText>> for Unplannable {
    fn from(invalid: Vec<InvalidText>) -> Self {
        Self::Invalid(invalid)
    }
}

impl From<TooLarge> for Unplannable {
    fn from(too_large: TooLarge) -> Self {
        Self::TooLarge(too_large)
    }
}

/// How much effort a plan may take by these settings: what resolving may take, and what its explanation may.
pub fn effort(settings: &Settings) -> usize {
    settings.max_comparisons as usize + EXPLAINING_COMPARISONS
}

/// Resolves `specs` against `catalog`, with no more than `effort`. The slots of `specs` must be distinct.
///
/// The answer depends on nothing but its arguments; matches, warnings and explanation have a fixed order.
///
/// # Errors
/// [`Unplannable`]. Where the effort was spent, a greater one may do.
pub fn plan(
    catalog: &Catalog,
    specs: &[ArtifactSpec],
    settings: &Settings,
    identities: Identities<'_>,
    effort: &Effort,
) -> Result<Plan, Unplannable> {
    let world = World::new(catalog, specs, settings, identities, effort);
    let mut planning = Planning {
        world: &world,
        explainer: Explainer::new(&world),
        warnings: specs.iter().map(|spec| spec.warnings.clone()).collect(),
    };
    let outcomes = planning.resolve_requires()?;
    let mut late = LateTexts::new(&world, &outcomes);
    let attributes = planning.render_attributes(&mut late)?;
    let deployment_specs = planning.resolve_deployment_specs(&mut late, &attributes)?;
    planning.count_warnings()?;
    let requires = planning.show_requires(outcomes, &attributes)?;
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
    let (revision, active_revision) = (catalog.revision(), catalog.active_revision());
    Ok(Plan { revision, active_revision, members, shown_bytes: world.shown_bytes(), verdict })
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
    fn resolve_requires(&mut self) -> Result<Vec<BTreeMap<Name, Outcome>>, TooLarge> {
        let mut members = Vec::with_capacity(self.world.specs.len());
        for (member, spec) in self.members() {
            let mut outcomes = BTreeMap::new();
            for (name, require) in &spec.requires {
                let place = Place { member, section: Section::Requires, name };
                let Ready::Now(selector) = &require.selector else {
                    unreachable!("only deploymentSpec selectors are ever late")
                };
                let predicate = Predicate { interface: require.interface.clone(), selector: selector.clone() };
                outcomes.insert(name.clone(), self.resolve(place, require, predicate)?);
            }
            members.push(outcomes);
        }
        Ok(members)
    }

    /// What matches one require, judged.
    fn resolve(&mut self, place: Place<'_>, require: &Require, predicate: Predicate) -> Result<Outcome, TooLarge> {
        let outcome = self.world.resolve(place.member, Arc::new(predicate));
        self.explainer.judge(place, require, &outcome, &mut self.warnings[place.member]);
        self.world.keep(place, require, outcome)
    }

    /// The attributes of what the members provide, late ones rendered from what their requires matched.
    fn render_attributes(&mut self, late: &mut LateTexts<'_>) -> Result<ProvidedAttributes, Unplannable> {
        let rendered = late.render_attributes()?;
        for undefined in &rendered.undefined {
            self.explainer.undefined(undefined.member, &undefined.problem, late.requires());
        }
        Ok(rendered.attributes)
    }

    /// The `deploymentSpec` of every member, which may read what its requires matched.
    fn resolve_deployment_specs(
        &mut self,
        late: &mut LateTexts<'_>,
        attributes: &ProvidedAttributes,
    ) -> Result<Vec<Vec<ResolvedRequire>>, Unplannable> {
        let mut invalid = Vec::new();
        let mut members = Vec::with_capacity(self.world.specs.len());
        for (member, spec) in self.members() {
            let mut entries = Vec::with_capacity(spec.deployment_spec.len());
            for (name, require) in &spec.deployment_spec {
                let place = Place { member, section: Section::DeploymentSpec, name };
                let resolved = match late.render_asked(member, require) {
                    Ok(Some((selector, asked))) => {
                        let predicate = Predicate { interface: require.interface.clone(), selector };
                        let outcome = self.resolve(place, require, predicate)?;
                        self.world.show(place, require, outcome, asked, attributes, &mut self.warnings[member])?
                    }
                    // What it reads is unmet, and explained as such.
                    Ok(None) => matching::unresolved(place, require),
                    Err(LateError::TooLarge(too_large)) => return Err(too_large.into()),
                    Err(LateError::Problem(problem)) => match problem.kind {
                        LateProblemKind::UndefinedMatch { .. } => {
                            self.explainer.undefined(member, &problem, late.requires());
                            matching::unresolved(place, require)
                        }
                        LateProblemKind::Invalid(_) => {
                            invalid.push(InvalidText::of(problem));
                            continue;
                        }
                    },
                };
                entries.push(resolved);
            }
            members.push(entries);
        }
        if invalid.is_empty() { Ok(members) } else { Err(invalid.into()) }
    }

    /// The requires of every member as the plan shows them.
    fn show_requires(
        &mut self,
        outcomes: Vec<BTreeMap<Name, Outcome>>,
        attributes: &ProvidedAttributes,
    ) -> Result<Vec<Vec<ResolvedRequire>>, TooLarge> {
        let mut members = Vec::with_capacity(outcomes.len());
        for ((member, spec), outcomes) in self.members().zip(outcomes) {
            let resolved = outcomes.into_iter().map(|(name, outcome)| {
                let require = &spec.requires[&name];
                let place = Place { member, section: Section::Requires, name: &name };
                let asked = require.known_attributes().to_vec();
                self.world.show(place, require, outcome, asked, attributes, &mut self.warnings[member])
            });
            members.push(resolved.collect::<Result<Vec<_>, _>>()?);
        }
        Ok(members)
    }

    /// Counts the warnings of every member. What was posted of it is bounded as such.
    fn count_warnings(&self) -> Result<(), TooLarge> {
        for (member, warnings) in self.warnings.iter().enumerate() {
            self.world
                .add_shown(warnings.iter().map(Warning::bytes).sum())
                .map_err(|limit| TooLarge::of_member(member, limit))?;
        }
        Ok(())
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
/// same against `catalog`: the same Components, with the same rows. Looks at no more than what changed since. What is not known
/// with no more than `effort`, or changed too long ago, is no.
pub fn still_holds(
    catalog: &Catalog,
    specs: &[ArtifactSpec],
    active_revision: u64,
    resolved: &[&ResolvedSpec],
    effort: &Effort,
) -> bool {
    if catalog.active_revision() == active_revision {
        return true;
    }
    let Some(changed) = catalog.changed_since(active_revision) else { return false };
    let excluded = catalog.excluding(specs.iter().map(|spec| &spec.slot));
    changed.into_iter().all(|handle| {
        let component = catalog.component(handle);
        // What a member replaces is no candidate, but its identity is taken over.
        if excluded.contains(&component) {
            return specs.iter().zip(resolved).all(|(spec, resolved)| {
                let kept = KeptIdentities::of(catalog, &spec.slot);
                effort.spend(1 + spec.provides.len())
                    && spec.provides.iter().zip(&resolved.provides).all(|(provide, resolved)| {
                        kept.get(provide).is_none_or(|kept| Some(kept) == resolved.component)
                    })
            });
        }
        resolved.iter().flat_map(|member| member.requires.iter()).all(|require| {
            effort.spend(require.predicate.comparisons() + require.matches.len())
                && !require.matched(component.id())
                && !(component.is_active()
                    && require.predicate.accepts(component.interface(), |key| component.label(key)))
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
