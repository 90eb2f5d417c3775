//! Fixes: what would make an unmet require met. There are exactly five kinds.

use super::explain::Miss;
use super::explanation::{Fix, FixKind, Unmet, UnmetKind};
use super::matching::{Outcome, Place, Source, World};
use crate::catalog::Component;
use crate::model::{Expression, Name, Quantifier};

/// How many open attempts are named as fixes of one require.
const DEPLOYS: usize = 3;

/// Every fix for `unmet`, in the order of their kinds. `nearest` is the nearest candidate that does not match.
pub(super) fn propose(world: &World<'_>, place: Place<'_>, outcome: &Outcome, unmet: &Unmet, nearest: Option<&Miss>) -> Vec<Fix> {
    let mut fixes = Vec::new();
    match unmet.kind {
        UnmetKind::Unmatched => {
            fixes.extend(nearest.iter().flat_map(|miss| relax(world, place, outcome, miss)));
            fixes.extend(rename(world, place, outcome, nearest));
            fixes.extend(widen(place, unmet));
            fixes.extend(deploy(world, place, outcome));
        }
        UnmetKind::Ambiguous | UnmetKind::TooManyMatches => {
            fixes.extend(narrow(world, place, outcome));
            if unmet.kind == UnmetKind::Ambiguous {
                fixes.extend(widen(place, unmet));
            }
        }
        UnmetKind::UndefinedMatch | UnmetKind::FirstDeployment => {}
    }
    fixes
}

fn fix(kind: FixKind, pointer: String, message: String) -> Fix {
    Fix { kind, pointer, message, deployment: None }
}

/// Give up, or widen, what the nearest candidate fails.
fn relax(world: &World<'_>, place: Place<'_>, outcome: &Outcome, miss: &Miss) -> Vec<Fix> {
    let expressions = &outcome.predicate.selector.0;
    let propose = |&index: &usize| {
        let expression: &Expression = &expressions[index];
        let key = expression.key();
        let message = match world.label(miss.source, key.as_str()) {
            Some(actual) if expression.operator().is_negated() => format!("do not exclude {key} {actual}"),
            Some(actual) => format!("accept {key} {actual}"),
            None => format!("drop the expression on {key}: the nearest candidate has no such label"),
        };
        fix(FixKind::Relax, format!("{}/selector/{index}", place.pointer()), message)
    };
    miss.failed.iter().map(propose).collect()
}

/// A label key that the nearest candidate has, or an Interface that something provides, is one edit away.
fn rename(world: &World<'_>, place: Place<'_>, outcome: &Outcome, nearest: Option<&Miss>) -> Vec<Fix> {
    let mut fixes = Vec::new();
    if let Some(interface) = &outcome.predicate.interface {
        let known = world.catalog.provided_interfaces().any(|provided| provided == interface.as_str());
        if !known {
            let members = world.members_but(place.member).map(|source| world.interface(source));
            let near = one_edit_away(interface, world.catalog.provided_interfaces().chain(members));
            fixes.extend(near.into_iter().map(|other| {
                let message = format!("the interface {other} is provided, and its name is one edit away from {interface}");
                fix(FixKind::RenameKey, place.pointer() + "/interface", message)
            }));
        }
    }
    for (index, expression) in outcome.predicate.selector.0.iter().enumerate() {
        let key = expression.key();
        let labels = match nearest {
            Some(miss) if world.label(miss.source, key.as_str()).is_none() => world.labels(miss.source),
            _ => continue,
        };
        let near = one_edit_away(key, labels.iter().map(|(key, _)| key.as_str()));
        fixes.extend(near.into_iter().map(|other| {
            let value = labels.get(other).unwrap_or_default();
            let message = format!("write {other} instead of {key}: the nearest candidate has {other} = {value}");
            fix(FixKind::RenameKey, format!("{}/selector/{index}", place.pointer()), message)
        }));
    }
    fixes
}

/// Every known name at one edit (insertion, deletion, substitution or transposition) from `wanted`, sorted.
fn one_edit_away<'a>(wanted: &Name, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut near: Vec<_> = known
        .filter(|known| known.len().abs_diff(wanted.as_str().len()) <= 4)
        .filter(|known| *known != wanted.as_str() && strsim::osa_distance(wanted.as_str(), known) == 1)
        .collect();
    near.sort_unstable();
    near.dedup();
    near
}

fn widen(place: Place<'_>, unmet: &Unmet) -> Option<Fix> {
    let needed = unmet.needed?;
    let found = u32::try_from(unmet.found).ok()?;
    let message = if needed.is_exceeded_by(unmet.found) {
        let wider = Quantifier::new(needed.min(), (!unmet.truncated).then_some(found)).ok()?;
        format!("accept {} matches: write the quantifier as {wider}, or {}..*", unmet.found, needed.min())
    } else if found == 0 {
        return None;
    } else {
        format!("ask for fewer: {found} of {} are there", needed.min())
    };
    Some(fix(FixKind::WidenQuantifier, place.pointer() + "/quantifier", message))
}

/// A label by which the candidates differ.
fn narrow(world: &World<'_>, place: Place<'_>, outcome: &Outcome) -> Option<Fix> {
    let first = *outcome.found.first()?;
    let labels = world.labels(first);
    let differing = labels.iter().filter_map(|(key, value)| {
        let same = outcome.found.iter().filter(|&&other| world.label(other, key.as_str()) == Some(value)).count();
        (same < outcome.found.len()).then_some((same, key, value))
    });
    let pointer = place.pointer() + "/selector";
    let message = match differing.min_by_key(|&(same, key, _)| (same, preference(key.as_str()), key)) {
        Some((1, key, value)) => format!("add an expression on {key}: {key} In [{value}] leaves only the first candidate"),
        Some((same, key, value)) => format!("add an expression on {key}: {key} In [{value}] leaves {same} candidates"),
        None => "the candidates have the same labels; give them labels that tell them apart".to_owned(),
    };
    Some(fix(FixKind::Narrow, pointer, message))
}

/// Labels that people choose by, before those that they would rather not pin.
fn preference(key: &str) -> u8 {
    match key {
        "name" => 1,
        "instance" => 2,
        "version" => 3,
        _ => 0,
    }
}

/// Open attempts that would provide what is required, and members of the set that would if they went elsewhere.
fn deploy(world: &World<'_>, place: Place<'_>, outcome: &Outcome) -> Vec<Fix> {
    let Some(interface) = &outcome.predicate.interface else { return Vec::new() };
    let planned = world.catalog.planned_of(interface.as_str());
    let own = |component: &Component<'_>| component.slot().is_some_and(|slot| slot == world.specs[place.member].slot);
    let satisfying = planned.iter().filter(|component| {
        let label = |key: &str| component.label(key);
        !own(component) && outcome.predicate.accepts(component.interface(), label)
    });
    let open = satisfying.take(DEPLOYS).map(|component| Fix {
        deployment: component.deployment(),
        ..fix(
            FixKind::Deploy,
            place.pointer(),
            format!(
                "an open attempt of {} in {} would provide it: wait until it is finished with success",
                component.name(),
                component.environment()
            ),
        )
    });
    let wanted = world.specs[place.member].slot.environment.as_str();
    let elsewhere = world.members_but(place.member).filter_map(|source| {
        let Source::Member { member, .. } = source else { return None };
        let spec = &world.specs[member];
        let there = |key: &str| if key == "environment" { Some(wanted) } else { world.label(source, key) };
        let would = outcome.predicate.accepts(world.interface(source), there);
        (would && spec.slot.environment.as_str() != wanted).then(|| {
            let message = format!("{} of this set goes to {}; deployed to {wanted} it would provide it", spec.slot.artifact, spec.slot.environment);
            fix(FixKind::Deploy, place.pointer(), message)
        })
    });
    open.chain(elsewhere).collect()
}
