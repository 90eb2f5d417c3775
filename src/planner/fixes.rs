//! Fixes: changes that would meet an unmet require. There are exactly five kinds.

use super::explanation::{Fix, FixKind, Unmet, UnmetKind};
use super::matching::{Miss, Outcome, Place, Source, World};
use crate::catalog::{Catalog, Component, Effort};
use crate::model::{Expression, Labels, Name, Quantifier};

/// How many open attempts are named as fixes of one require.
const DEPLOYS: usize = 3;

/// Every fix for `unmet` that is found with no more than `effort`, the most specific first. `nearest` are the nearest candidates
/// that do not match.
pub(super) fn propose(
    world: &World<'_>,
    place: Place<'_>,
    outcome: &Outcome,
    unmet: &Unmet,
    nearest: &[Miss],
    effort: &Effort,
) -> Vec<Fix> {
    let mut fixes = Vec::new();
    match unmet.kind {
        UnmetKind::Unmatched => {
            fixes.extend(rename(world, place, outcome, nearest, effort));
            fixes.extend(deploy(world, place, outcome, unmet.environment.as_deref(), effort));
            fixes.extend(nearest.first().into_iter().flat_map(|miss| relax(world, place, outcome, miss)));
            fixes.extend(widen(place, outcome, unmet));
        }
        UnmetKind::Ambiguous | UnmetKind::TooManyMatches => {
            fixes.extend(narrow(world, place, outcome, effort));
            if unmet.kind == UnmetKind::Ambiguous {
                fixes.extend(widen(place, outcome, unmet));
            }
        }
        UnmetKind::UndefinedMatch | UnmetKind::FirstDeployment => {}
    }
    fixes
}

fn fix(kind: FixKind, pointer: String, message: String) -> Fix {
    Fix { kind, pointer, message, deployment: None }
}

/// For each expression that the nearest candidate fails: accept its value, or give the expression up.
fn relax(world: &World<'_>, place: Place<'_>, outcome: &Outcome, miss: &Miss) -> Vec<Fix> {
    let expressions = &outcome.predicate.selector.0;
    let propose = |&index: &usize| {
        let expression: &Expression = &expressions[index];
        let key = expression.key();
        let message = match world.label(miss.source, key.as_str()) {
            Some(actual) if expression.operator().is_negated() => format!("do not exclude {key} {}", shown(actual)),
            Some(actual) => format!("accept {key} {}", shown(actual)),
            None => format!("drop the expression on {key}: the nearest candidate has no such label"),
        };
        fix(FixKind::Relax, format!("{}/selector/{index}", place.pointer()), message)
    };
    miss.failed.iter().map(propose).collect()
}

/// Write a known name instead of an unknown one that is one edit away: of an Interface, or of the key of a label.
fn rename(world: &World<'_>, place: Place<'_>, outcome: &Outcome, nearest: &[Miss], effort: &Effort) -> Vec<Fix> {
    let mut fixes = Vec::new();
    let members = || world.members_but(place.member);
    if let Some(interface) = &outcome.predicate.interface
        && !world.catalog.is_provided(interface.as_str())
    {
        let running =
            world.catalog.interfaces().one_edit_away(interface.as_str(), |known| world.catalog.is_provided(known));
        let near = one_edit_away(interface, members().map(|source| world.interface(source)).chain(running));
        fixes.extend(near.into_iter().map(|other| {
            let message = format!(
                "write {other} instead of {interface}: nothing provides {interface}, and something provides {other}"
            );
            fix(FixKind::RenameKey, place.pointer() + "/interface", message)
        }));
    }
    let mut provided = Vec::new();
    for source in members() {
        let labels = world.labels(source);
        if !effort.spend((1 + outcome.predicate.selector.0.len()) * labels.iter().len()) {
            return fixes;
        }
        provided.push(labels);
    }
    for (index, expression) in outcome.predicate.selector.0.iter().enumerate() {
        let key = expression.key();
        let of_members = || provided.iter().flat_map(Labels::iter).map(|(key, _)| key.as_str());
        let lacking =
            || nearest.iter().map(|miss| miss.source).filter(|&source| world.label(source, key.as_str()).is_none());
        if expression.accepts(None) || (lacking().next().is_none() && !nearest.is_empty()) {
            continue;
        }
        let is_unknown = !world.catalog.is_label_key(key.as_str()) && !of_members().any(|known| known == key.as_str());
        let common = Catalog::COMMON_LABEL_KEYS.into_iter().filter(|known| world.catalog.is_label_key(known));
        let running = world.catalog.label_keys().one_edit_away(key.as_str(), |_| true);
        for other in one_edit_away(key, of_members().chain(common).chain(running)) {
            let has = lacking().find_map(|source| Some((source, world.label(source, other)?)));
            let message = match has {
                Some((source, value)) => {
                    format!("write {other} instead of {key}: {} has {other} {}", world.name(source), shown(value))
                }
                None if is_unknown => {
                    format!("write {other} instead of {key}: nothing has a label {key}, and something has {other}")
                }
                None => continue,
            };
            fixes.push(fix(FixKind::RenameKey, format!("{}/selector/{index}", place.pointer()), message));
        }
    }
    fixes
}

/// The value of a label as a message shows it.
fn shown(value: &str) -> &str {
    if value.is_empty() { "\"\"" } else { value }
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

fn widen(place: Place<'_>, outcome: &Outcome, unmet: &Unmet) -> Option<Fix> {
    let needed = unmet.needed?;
    let found = u32::try_from(unmet.found).ok()?;
    let any = Quantifier::new(needed.min(), None).ok()?;
    let message = if outcome.more {
        format!("accept every match: write the quantifier as {any}")
    } else if needed.is_exceeded_by(unmet.found) {
        let wider = Quantifier::new(needed.min(), Some(found)).ok()?;
        let matches = if found == 1 { "the match".to_owned() } else { format!("all {found} matches") };
        format!("accept {matches}: write the quantifier as {wider}, or as {any}")
    } else if found == 0 {
        return None;
    } else {
        format!("ask for fewer: write the quantifier as {}", Quantifier::new(found, needed.max()).ok()?)
    };
    Some(fix(FixKind::WidenQuantifier, place.pointer() + "/quantifier", message))
}

/// Add an expression on a label by which the matches differ.
fn narrow(world: &World<'_>, place: Place<'_>, outcome: &Outcome, effort: &Effort) -> Option<Fix> {
    let [first, _, ..] = *outcome.found else { return None };
    let labels = world.labels(first);
    if !effort.spend(4 * labels.iter().len() * outcome.found.len()) {
        return None;
    }
    let differing = labels.iter().filter_map(|(key, value)| {
        let same = outcome.found.iter().filter(|&&other| world.label(other, key.as_str()) == Some(value)).count();
        (same < outcome.found.len()).then_some((same, key, value))
    });
    let pointer = place.pointer() + "/selector";
    let message = match differing.min_by_key(|&(same, key, _)| (same, preference(key.as_str()), key)) {
        Some((same, key, value)) => {
            let left = if same == 1 { "only the first candidate".to_owned() } else { format!("{same} candidates") };
            format!("add the expression `{}`: it leaves {left}", Expression::equals(key.clone(), value.clone()))
        }
        None => "the candidates have the same labels; give them labels that tell them apart".to_owned(),
    };
    Some(fix(FixKind::Narrow, pointer, message))
}

/// The order in which labels are proposed: first those that people choose by, last those that they would rather not pin.
fn preference(key: &str) -> u8 {
    match key {
        "name" => 1,
        "instance" => 2,
        "version" => 3,
        _ => 0,
    }
}

/// Wait for an open attempt that would provide what is required. Or deploy a member of the set to the Environment asked for
/// as well, where it would provide it.
fn deploy(
    world: &World<'_>,
    place: Place<'_>,
    outcome: &Outcome,
    environment: Option<&str>,
    effort: &Effort,
) -> Vec<Fix> {
    let planned = world.catalog.planned(&outcome.predicate, effort);
    let own = |component: &Component<'_>| component.slot().is_some_and(|slot| slot == world.specs[place.member].slot);
    let open = planned.iter().filter(|component| !own(component)).take(DEPLOYS).map(|component| Fix {
        deployment: component.deployment(),
        ..fix(
            FixKind::Deploy,
            place.pointer(),
            format!(
                "wait for the open attempt of {} in {}: finished with success, it provides this",
                component.name(),
                component.environment()
            ),
        )
    });
    let mut fixes: Vec<_> = open.collect();
    let Some(environment) = environment else { return fixes };
    let comparisons = outcome.predicate.comparisons();
    for source in world.members_but(place.member).take_while(|_| effort.spend(comparisons)) {
        let Source::Member { member, .. } = source else { continue };
        let slot = &world.specs[member].slot;
        let there = |key: &str| if key == "environment" { Some(environment) } else { world.label(source, key) };
        if slot.environment.as_str() != environment && outcome.predicate.accepts(world.interface(source), there) {
            let message = format!(
                "deploy {} of this set to {environment} too: it goes to {} and would provide this",
                slot.artifact, slot.environment
            );
            let elsewhere = fix(FixKind::Deploy, place.pointer(), message);
            // It may provide it in several layers.
            if fixes.last() != Some(&elsewhere) {
                fixes.push(elsewhere);
            }
        }
    }
    fixes
}
