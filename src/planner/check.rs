//! The checker: verifies a finished plan by asking each rule anew, without the indexes that found it.

use std::fmt;

use super::matching::Match;
use super::{Plan, PlannedSpec, Resolved, Verdict};
use crate::catalog::Catalog;
use crate::model::{ArtifactSpec, ComponentId, Layer, Name, Predicate, Ready, Require, Settings};

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
        let requires = spec.requires.iter().map(|(name, require)| (name, require, planned.requires.get(name)));
        let deployment =
            spec.deployment_spec.iter().map(|(name, require)| (name, require, planned.deployment_spec.get(name)));
        for (name, require, resolved) in requires.chain(deployment) {
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
    members: &'a [PlannedSpec],
    settings: &'a Settings,
}

impl Checker<'_> {
    fn broken(&self, member: usize, require: &Require, resolved: &Resolved, scrutiny: Scrutiny) -> Option<Rule> {
        let matches = &resolved.matches;
        // A late selector is known only as it was rendered.
        if matches!(&require.selector, Ready::Now(selector) if *selector != resolved.selector) {
            return Some(Rule::Resolved);
        }
        let predicate = Predicate { interface: require.interface.clone(), selector: resolved.selector.clone() };
        let count = matches.len();
        if require.quantifier.lacks(count)
            || require.quantifier.is_exceeded_by(count)
            || count > self.settings.max_matches as usize
        {
            return Some(Rule::Counted);
        }
        if !matches.iter().all(|found| predicate.accepts(&found.interface, |key| found.labels.get(key))) {
            return Some(Rule::Satisfied);
        }
        if !matches.is_sorted_by(|left, right| order(left) < order(right)) {
            return Some(Rule::Ordered);
        }
        for found in matches {
            if self.is_member(found, Some(member)) {
                continue;
            }
            let running = found
                .component
                .and_then(|id| self.catalog.find_component(id))
                .map(|handle| self.catalog.component(handle));
            if !running.is_some_and(|component| component.is_active()) {
                return Some(Rule::Present);
            }
            if running
                .and_then(|component| component.slot())
                .is_some_and(|slot| self.specs.iter().any(|spec| spec.slot == slot))
            {
                return Some(Rule::NotReplaced);
            }
        }
        let complete = scrutiny == Scrutiny::EachMatch || self.satisfying(member, &predicate) == count;
        (!complete).then_some(Rule::Complete)
    }

    /// Whether a member other than `but` provides this match.
    fn is_member(&self, found: &Match, but: Option<usize>) -> bool {
        self.specs.iter().zip(self.members).enumerate().any(|(member, (spec, planned))| {
            Some(member) != but
                && *spec.slot.artifact.as_str() == *found.name
                && *spec.slot.environment.as_str() == *found.environment
                && spec.slot.instance == found.instance
                && spec.provides.iter().zip(&planned.provides).any(|(provide, planned)| {
                    planned.component == found.component
                        && *provide.interface.as_str() == *found.interface
                        && provide.layer == found.layer
                        && provide.labels == found.labels
                })
        })
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

/// What orders matches; a new identity, withheld in a dry run, is later than every known one.
fn order(found: &Match) -> (&str, &str, Layer, &str, &str, bool, Option<ComponentId>) {
    let (name, interface, environment) = (&found.name, &found.interface, &found.environment);
    (name, interface, found.layer, environment, &found.instance, found.component.is_none(), found.component)
}
