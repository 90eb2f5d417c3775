//! The checker: verifies a finished plan by asking each rule anew, without the indexes that found it.

use std::fmt;

use super::{Plan, Verdict};
use crate::catalog::{Catalog, Component};
use crate::model::{
    ArtifactSpec, ComponentId, Layer, Match, Name, Origin, Predicate, Provide, Ready, Require, ResolvedRequire,
    ResolvedSpec, Section, Settings,
};

/// How much is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scrutiny {
    /// Every match on its own: cheap enough for every plan.
    EachMatch,
    /// Also that no match was left out, by looking at every Component: for tests.
    Everything,
}

/// A rule that a plan breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which specification, from 0.
    pub member: usize,
    /// The require.
    pub require: Name,
    /// The rule.
    pub rule: Rule,
}

/// The rules of a plan whose verdict is `yes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Every require is resolved, by its own selector.
    Resolved,
    /// The number of matches lies within the quantifier.
    Counted,
    /// Every match satisfies the predicate.
    Satisfied,
    /// Matches are ordered, and none stands twice.
    Ordered,
    /// A match runs, or a member of the set would provide it.
    Present,
    /// No match is in a slot that a member replaces.
    NotReplaced,
    /// Nothing that satisfies the predicate was left out.
    Complete,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "specification {}, require {}: {:?} does not hold", self.member, self.require, self.rule)
    }
}

/// Verifies `plan`, which was resolved for `specs` against `catalog`. Only a `yes` makes promises, so only a `yes` is verified.
///
/// # Errors
/// Every [`Violation`].
pub fn check(
    catalog: &Catalog,
    specs: &[ArtifactSpec],
    settings: &Settings,
    plan: &Plan,
    scrutiny: Scrutiny,
) -> Result<(), Vec<Violation>> {
    if plan.verdict != Verdict::Yes {
        return Ok(());
    }
    let checker = Checker { catalog, specs, members: &plan.members, settings };
    let mut violations = Vec::new();
    for (member, (spec, planned)) in specs.iter().zip(&plan.members).enumerate() {
        let requires = spec.requires.iter().map(|(name, require)| (Section::Requires, name, require));
        let entries = spec.deployment_spec.iter().map(|(name, require)| (Section::DeploymentSpec, name, require));
        for (section, name, require) in requires.chain(entries) {
            let resolved = planned.require(section, name);
            let broken = match resolved {
                None => Some(Rule::Resolved),
                Some(resolved) => checker.broken(member, require, resolved, scrutiny),
            };
            violations.extend(broken.map(|rule| Violation { member, require: name.clone(), rule }));
        }
    }
    if violations.is_empty() { Ok(()) } else { Err(violations) }
}

struct Checker<'a> {
    catalog: &'a Catalog,
    specs: &'a [ArtifactSpec],
    members: &'a [ResolvedSpec],
    settings: &'a Settings,
}

/// What a match stands for.
enum Matched<'a> {
    Running(Component<'a>),
    Provided(&'a ArtifactSpec, &'a Provide),
}

impl<'a> Checker<'a> {
    fn broken(&self, member: usize, require: &Require, resolved: &ResolvedRequire, scrutiny: Scrutiny) -> Option<Rule> {
        let matches = &resolved.matches;
        let predicate = &resolved.predicate;
        // A late selector is known only as it was rendered.
        let is_own = matches!(&require.selector, Ready::Now(selector) if *selector != predicate.selector);
        if is_own || require.interface != predicate.interface {
            return Some(Rule::Resolved);
        }
        let count = matches.len();
        if require.quantifier.lacks(count)
            || require.quantifier.is_exceeded_by(count)
            || count > self.settings.max_matches as usize
        {
            return Some(Rule::Counted);
        }
        let found: Option<Vec<_>> = matches.iter().map(|found| self.matched(member, found)).collect();
        let Some(found) = found else { return Some(Rule::Present) };
        if !found.iter().all(|matched| matched.satisfies(predicate)) {
            return Some(Rule::Satisfied);
        }
        let order: Vec<_> =
            found.iter().zip(matches).map(|(matched, found)| (matched.key(), found.component)).collect();
        if !order.is_sorted_by(|left, right| left < right) {
            return Some(Rule::Ordered);
        }
        let slots = found.iter().filter_map(|matched| match matched {
            Matched::Running(component) => component.slot(),
            Matched::Provided(..) => None,
        });
        if slots.into_iter().any(|slot| self.specs.iter().any(|spec| spec.slot == slot)) {
            return Some(Rule::NotReplaced);
        }
        let complete = scrutiny == Scrutiny::EachMatch || self.satisfying(member, predicate) == count;
        (!complete).then_some(Rule::Complete)
    }

    /// What a match of `member` stands for, where that is there: it runs with this row, or another member provides it.
    fn matched(&self, member: usize, found: &Match) -> Option<Matched<'a>> {
        match found.origin {
            Origin::Catalog { revision } => {
                let component = self.catalog.component(self.catalog.find_component(found.component?)?);
                (component.is_active() && component.revision() == revision).then_some(Matched::Running(component))
            }
            Origin::Member { member: other, provide } => {
                let planned = self.members.get(other)?.provides.get(provide)?;
                let spec = self.specs.get(other).filter(|_| other != member)?;
                (planned.component == found.component).then_some(Matched::Provided(spec, spec.provides.get(provide)?))
            }
        }
    }

    /// How many candidates satisfy `predicate`, counted by looking at all of them.
    fn satisfying(&self, member: usize, predicate: &Predicate) -> usize {
        let replaced = |id: ComponentId| {
            self.specs.iter().any(|spec| self.catalog.slot_components(&spec.slot).any(|component| component.id() == id))
        };
        let running = self.catalog.components_after(None).filter(|component| {
            component.is_active()
                && !replaced(component.id())
                && predicate.accepts(component.interface(), |key| component.label(key))
        });
        let others = self.specs.iter().enumerate().filter(|&(other, _)| other != member);
        let provided = others.flat_map(|(_, spec)| &spec.provides);
        let provided =
            provided.filter(|provide| predicate.accepts(provide.interface.as_str(), |key| provide.labels.get(key)));
        running.count() + provided.count()
    }
}

impl Matched<'_> {
    fn satisfies(&self, predicate: &Predicate) -> bool {
        match self {
            Self::Running(component) => predicate.accepts(component.interface(), |key| component.label(key)),
            Self::Provided(_, provide) => predicate.accepts(provide.interface.as_str(), |key| provide.labels.get(key)),
        }
    }

    /// What orders matches.
    fn key(&self) -> (&str, &str, Layer, &str, &str) {
        match self {
            Self::Running(component) => component.match_key(),
            Self::Provided(spec, provide) => {
                let slot = &spec.slot;
                let (name, environment) = (slot.artifact.as_str(), slot.environment.as_str());
                (name, provide.interface.as_str(), provide.layer, environment, &slot.instance)
            }
        }
    }
}
