//! Finds what explains an unmet require: the nearest candidates, and the expressions that they fail.

use smol_str::SmolStr;
use std::collections::{BTreeMap, HashSet};

use super::explanation::{Candidate, Explanation, FailedExpression, Nearest, Unmet, UnmetKind};
use super::matching::{Miss, Outcome, Place, Source, World};
use super::{Verdict, fixes, render};
use crate::catalog::Effort;
use crate::model::limits::{EXAMINED_CANDIDATES, EXPLAINED_REQUIRES, EXPLAINING_COMPARISONS};
use crate::model::version::{equal_only_in_order, near_miss};
use crate::model::{
    Code, Expression, LateProblem, LateProblemKind, Name, Operator, Predicate, Require, Selector, Test, Warning,
};

/// How many of the nearest are shown for one require.
const NEAREST: usize = 3;
/// How many of the matches of an ambiguous require are shown.
const SHOWN: usize = 100;
/// How many optional requires that matched nothing are warned of.
const OPTIONAL: usize = 200;
/// How many bytes the values of failed expressions may be shown with, in all explanations of a plan.
const VALUES: usize = 256 * 1024;
/// At how many values of a failed expression it is looked for one that surprises.
const NOTED: usize = 64;

/// Gathers what is unmet.
pub(super) struct Explainer<'a> {
    world: &'a World<'a>,
    unmet: Vec<Unmet>,
    /// How many optional requires matched nothing.
    optional: usize,
    total: usize,
    /// What explanations may still cost.
    effort: Effort,
    /// How many bytes of values are shown.
    values: usize,
}

/// The candidates of a require.
struct Search {
    misses: Vec<Miss>,
    considered: usize,
    reasons: BTreeMap<Name, usize>,
    more: bool,
}

impl<'a> Explainer<'a> {
    pub fn new(world: &'a World<'a>) -> Self {
        let effort = Effort::of(EXPLAINING_COMPARISONS.min(world.effort.left()));
        Self { world, unmet: Vec::new(), optional: 0, total: 0, effort, values: 0 }
    }

    /// Explains `outcome` where it does not meet `require`, and warns of an optional require that matched nothing.
    pub fn judge(&mut self, place: Place<'_>, require: &Require, outcome: &Outcome, warnings: &mut Vec<Warning>) {
        let count = outcome.count;
        let kind = if require.quantifier.is_exceeded_by(count + usize::from(outcome.more)) {
            UnmetKind::Ambiguous
        } else if outcome.more {
            UnmetKind::TooManyMatches
        } else if require.quantifier.lacks(count) {
            UnmetKind::Unmatched
        } else {
            if count == 0 && require.quantifier.min() == 0 {
                self.optional += 1;
                if self.optional > OPTIONAL {
                    return;
                }
                let unmet = self.explain(place, require, outcome, UnmetKind::Unmatched);
                warnings.push(Warning::new(Code::OptionalUnmatched, place.pointer(), render::unmatched(&unmet)));
            }
            return;
        };
        self.total += 1;
        if self.unmet.len() < EXPLAINED_REQUIRES {
            let unmet = self.explain(place, require, outcome, kind);
            self.unmet.push(unmet);
        }
    }

    /// Explains a late text that reads a match, or an attribute of one, that is not there.
    pub fn undefined(&mut self, member: usize, problem: &LateProblem, requires: &[BTreeMap<Name, Outcome>]) {
        let LateProblemKind::UndefinedMatch { require } = &problem.kind else { return };
        self.total += 1;
        if self.unmet.len() >= EXPLAINED_REQUIRES {
            return;
        }
        let spec = &self.world.specs[member];
        let written = spec.requires.get(require);
        let unmet = Unmet {
            member,
            pointer: problem.pointer.as_str().to_owned(),
            require: Some(require.clone()),
            kind: UnmetKind::UndefinedMatch,
            interface: written.and_then(|require| require.interface.clone()),
            environment: Some(spec.slot.environment.shared().clone()),
            needed: written.map(|require| require.quantifier),
            found: requires[member].get(require).map_or(0, |outcome| outcome.count),
            considered: 0,
            reasons: BTreeMap::new(),
            nearest: Vec::new(),
            candidates: Vec::new(),
            fixes: Vec::new(),
            message: Some(problem.message.clone()),
            truncated: false,
        };
        self.unmet.push(unmet);
    }

    /// The verdict. `refused` are the members that would be the first deployment to an Environment whose policy refuses one.
    pub fn verdict(mut self, refused: &[usize]) -> Verdict {
        let met = self.total == 0;
        if met {
            for &member in refused {
                self.total += 1;
                if self.unmet.len() < EXPLAINED_REQUIRES {
                    let unmet = self.first_deployment(member);
                    self.unmet.push(unmet);
                }
            }
        }
        if self.total == 0 {
            return Verdict::Yes;
        }
        // Stable: within a member the order is that of judging, requires before deploymentSpec.
        self.unmet.sort_by_key(|unmet| unmet.member);
        let truncated = self.total > self.unmet.len();
        let total = truncated.then_some(self.total);
        let summary = render::summary(&self.unmet, self.total);
        let explanation = Explanation { summary, unmet: self.unmet, truncated, total };
        if met { Verdict::Unknown(explanation) } else { Verdict::No(explanation) }
    }

    fn first_deployment(&self, member: usize) -> Unmet {
        Unmet {
            member,
            pointer: "/environment".to_owned(),
            require: None,
            kind: UnmetKind::FirstDeployment,
            interface: None,
            environment: Some(self.world.specs[member].slot.environment.shared().clone()),
            needed: None,
            found: 0,
            considered: 0,
            reasons: BTreeMap::new(),
            nearest: Vec::new(),
            candidates: Vec::new(),
            fixes: Vec::new(),
            message: None,
            truncated: false,
        }
    }

    fn explain(&mut self, place: Place<'_>, require: &Require, outcome: &Outcome, kind: UnmetKind) -> Unmet {
        let before = self.effort.left();
        let search = self.search(place, &outcome.predicate, &outcome.found);
        let too_many = matches!(kind, UnmetKind::Ambiguous | UnmetKind::TooManyMatches);
        let nearest = if too_many { Vec::new() } else { self.nearest(place, &outcome.predicate, &search.misses) };
        let candidates = outcome.found.iter().take(if too_many { SHOWN } else { 0 });
        let is_cut = !too_many && nearest.len() < search.misses.len();
        let mut unmet = Unmet {
            member: place.member,
            pointer: place.pointer(),
            require: Some(place.name.clone()),
            kind,
            interface: require.interface.clone(),
            environment: only_environment(&outcome.predicate.selector),
            needed: Some(require.quantifier),
            found: outcome.count,
            considered: search.considered,
            reasons: search.reasons,
            nearest,
            candidates: candidates.map(|&source| self.candidate(source)).collect(),
            fixes: Vec::new(),
            message: self.own_note(place, require),
            truncated: search.more || outcome.more || is_cut || (too_many && outcome.count > SHOWN),
        };
        unmet.fixes = fixes::propose(self.world, place, outcome, &unmet, &search.misses, &self.effort);
        // Whoever resolves with little effort is to explain with as little.
        self.world.effort.spend(before - self.effort.left());
        unmet
    }

    /// The nearest misses as they are shown, as long as there is room for the values of what they fail.
    fn nearest(&mut self, place: Place<'_>, predicate: &Predicate, misses: &[Miss]) -> Vec<Nearest> {
        let expressions = &predicate.selector.0;
        let mut nearest = Vec::with_capacity(misses.len());
        for miss in misses {
            let values = miss.failed.iter().flat_map(|&index| expressions[index].values());
            self.values += values.map(|value| value.len() + 4).sum::<usize>();
            if self.values > VALUES {
                break;
            }
            let failed = miss.failed.iter().map(|&index| self.failed(place, index, &expressions[index], miss.source));
            nearest.push(Nearest { candidate: self.candidate(miss.source), failed: failed.collect() });
        }
        nearest
    }

    /// The note that a slot never matches itself, where the slot provides what it requires.
    fn own_note(&self, place: Place<'_>, require: &Require) -> Option<String> {
        let interface = require.interface.as_ref()?;
        let spec = &self.world.specs[place.member];
        let runs = self
            .world
            .catalog
            .slot_components(&spec.slot)
            .any(|own| own.is_active() && **own.interface() == *interface.as_str());
        let provides = runs || spec.provides.iter().any(|provide| provide.interface == *interface);
        provides.then(|| format!("{} provides {interface} itself, and a slot never matches itself", spec.slot))
    }

    /// Looks at the candidates that do not match. `found` are those that do.
    fn search(&self, place: Place<'_>, predicate: &Predicate, found: &[Source]) -> Search {
        let world = self.world;
        let running = world.catalog.candidates(predicate, &world.excluded, EXAMINED_CANDIDATES, &self.effort);
        let handles = running.components.iter().filter_map(|component| world.catalog.find_component(component.id()));
        let members = world.members_but(place.member).filter(|&source| match &predicate.interface {
            Some(interface) => world.interface(source) == interface.as_str(),
            None => predicate.selector.0.iter().any(|e| !e.operator().is_negated() && self.accepts(e, source)),
        });
        let mut search = Search { misses: Vec::new(), considered: 0, reasons: BTreeMap::new(), more: running.more };
        let found: HashSet<_> = found.iter().copied().collect();
        let comparisons = 4 * predicate.comparisons();
        for source in handles.map(Source::Running).chain(members) {
            if !self.effort.spend(comparisons) {
                search.more = true;
                break;
            }
            search.considered += 1;
            if found.contains(&source) {
                continue;
            }
            let expressions = predicate.selector.0.iter().enumerate();
            let failed: Vec<_> =
                expressions.filter(|(_, e)| !self.accepts(e, source)).map(|(index, _)| index).collect();
            let mut keys: Vec<_> = failed.iter().map(|&index| predicate.selector.0[index].key()).collect();
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                *search.reasons.entry(key.clone()).or_default() += 1;
            }
            search.keep(Miss { source, failed }, world);
        }
        search
    }

    fn accepts(&self, expression: &Expression, source: Source) -> bool {
        expression.accepts(self.world.label(source, expression.key().as_str()))
    }

    fn candidate(&self, source: Source) -> Candidate {
        let (name, is_server, version, environment, instance) = match source {
            Source::Running(handle) => {
                let component = self.world.running(handle);
                let (name, environment) = (component.name().clone(), component.environment().clone());
                (
                    name,
                    component.is_server(),
                    component.version().cloned(),
                    environment,
                    SmolStr::new(component.instance()),
                )
            }
            Source::Member { member, .. } => {
                let spec = &self.world.specs[member];
                let (name, environment) = (spec.slot.artifact.shared().clone(), spec.slot.environment.shared().clone());
                (name, false, Some(spec.version.clone()), environment, spec.slot.instance.clone())
            }
        };
        Candidate {
            component: self.world.known_id(source),
            artifact: (!is_server).then(|| name.clone()),
            server: is_server.then_some(name),
            version,
            environment,
            instance,
            interface: self.world.interface(source).into(),
        }
    }

    fn failed(&self, place: Place<'_>, index: usize, expression: &Expression, source: Source) -> FailedExpression {
        let actual = self.world.label(source, expression.key().as_str());
        FailedExpression {
            pointer: format!("{}/selector/{index}", place.pointer()),
            expression: expression.clone(),
            actual: actual.map(SmolStr::from),
            note: actual.and_then(|actual| note(expression, actual)),
        }
    }
}

impl Search {
    /// Keeps a miss if it is among the nearest: fewest failed expressions, then match order.
    fn keep(&mut self, miss: Miss, world: &World<'_>) {
        let before = self.misses.iter().position(|other| {
            let fewer = miss.failed.len().cmp(&other.failed.len());
            fewer.then_with(|| world.match_order(miss.source, other.source)).is_lt()
        });
        match before {
            Some(index) => self.misses.insert(index, miss),
            None if self.misses.len() < NEAREST => self.misses.push(miss),
            None => {}
        }
        self.misses.truncate(NEAREST);
    }
}

/// The Environment that a selector asks for, where it asks for exactly one.
fn only_environment(selector: &Selector) -> Option<SmolStr> {
    let asked = selector.0.iter().find(|expression| expression.key().as_str() == "environment")?;
    match (asked.operator(), asked.tests()) {
        (Operator::In, [Test::Text(environment)]) => Some(environment.clone()),
        _ => None,
    }
}

/// What is surprising about a value that fails an expression.
fn note(expression: &Expression, actual: &str) -> Option<String> {
    if !matches!(expression.operator(), Operator::In | Operator::InRange) {
        return None;
    }
    expression.tests().iter().take(NOTED).find_map(|test| match test {
        Test::Range(range) => near_miss(range, actual).map(|near| near.to_string()),
        Test::Text(text) if expression.key().as_str() == "version" && equal_only_in_order(text, actual) => Some(
            format!("{actual} and {text} are equal in order, but a version without brackets is compared as exact text"),
        ),
        Test::Text(text) if text.eq_ignore_ascii_case(actual) => {
            Some("it differs only in case, and text compares exactly".to_owned())
        }
        Test::Text(_) => None,
    })
}
