//! What a Catalog keeps through random histories: replay, snapshots, copies, and every index.

#[path = "world/generator.rs"]
mod generator;
#[path = "world/history.rs"]
mod history;

use std::collections::{BTreeMap, BTreeSet};

use generator::{Generator, predicate, random_change};
use history::{History, name};
use mortise::catalog::{Catalog, Component, Effort, Excluded};
use mortise::model::{
    ComponentId, ComponentRow, ComponentState, DeploymentId, DeploymentSpec, Name, Predicate, ResolutionRow,
    ResolvedRequire, Row, Slot, State,
};

const HISTORIES: u64 = 60;
const CHANGES: usize = 40;

#[test]
fn replay_gives_the_same_catalog_as_a_snapshot_and_the_changes_after_it() {
    each_history(|generator, history| {
        let mut replayed = Catalog::default();
        history.changes.iter().for_each(|change| replayed.apply(change));
        assert_eq!(contents(&replayed), contents(&history.catalog));

        let middle = generator.below(history.changes.len() + 1);
        let mut before = Catalog::default();
        history.changes[..middle].iter().for_each(|change| before.apply(change));
        let mut restored = Catalog::default();
        restored.begin_at(before.revision(), before.time());
        before.rows().for_each(|row| restored.apply_snapshot(row));
        assert_eq!(contents(&restored), contents(&before));
        history.changes[middle..].iter().for_each(|change| restored.apply(change));
        assert_eq!(contents(&restored), contents(&history.catalog));
        assert_eq!((restored.revision(), restored.time()), (history.catalog.revision(), history.catalog.time()));
        let predicate = predicate(generator);
        assert_eq!(resolved(&restored, &predicate), resolved(&history.catalog, &predicate));
    });
}

#[test]
fn rows_applied_again_change_nothing() {
    each_history(|_, history| {
        let mut again = history.catalog.clone();
        let rows: Vec<_> = history.catalog.rows().collect();
        rows.into_iter().for_each(|row| again.apply_snapshot(row));
        assert_eq!(contents(&again), contents(&history.catalog));
    });
}

#[test]
fn a_copy_does_not_see_later_changes() {
    each_history(|generator, history| {
        let copy = history.catalog.clone();
        let (before, predicate) = (contents(&copy), predicate(generator));
        let found = resolved(&copy, &predicate);
        for _ in 0..10 {
            random_change(generator, history);
        }
        assert_eq!(contents(&copy), before);
        assert_eq!(resolved(&copy, &predicate), found);
    });
}

#[test]
fn resolving_equals_looking_at_every_component() {
    let (mut met, mut cut) = (0, 0);
    each_history(|generator, history| {
        let catalog = &history.catalog;
        for _ in 0..20 {
            let predicate = predicate(generator);
            let excluded: Vec<Slot> = (0..generator.below(3)).map(|_| generator.slot()).collect();
            let satisfying = |component: &Component<'_>| {
                component.is_active()
                    && component.slot().is_none_or(|slot| !excluded.contains(&slot))
                    && predicate.accepts(component.interface(), |key| component.label(key))
            };
            let mut naive: Vec<_> = catalog.components_after(None).filter(satisfying).collect();
            naive.sort_by(|left, right| (left.match_key(), left.id()).cmp(&(right.match_key(), right.id())));
            let naive: Vec<_> = naive.iter().map(Component::id).collect();
            let excluded = catalog.excluding(&excluded);
            let found = catalog.resolve(&predicate, &excluded, usize::MAX, &Effort::unlimited());
            let ids: Vec<_> = found.handles.iter().map(|&handle| catalog.component(handle).id()).collect();
            assert_eq!((ids, found.more), (naive.clone(), false), "{predicate:?}");
            met += usize::from(!naive.is_empty());

            let limit = generator.below(4);
            let some = catalog.resolve(&predicate, &excluded, limit, &Effort::unlimited());
            assert_eq!((some.handles.len(), some.more), (naive.len().min(limit), naive.len() > limit), "{predicate:?}");
            assert!(some.handles.iter().all(|&handle| naive.contains(&catalog.component(handle).id())));
            cut += usize::from(some.more);
        }
    });
    assert!(met > 400 && cut > 200, "the histories are too dull: {met} met, {cut} cut");
}

#[test]
fn a_posting_of_many_stays_right_while_components_come_and_go() {
    let mut history = History::default();
    let mut generator = Generator::new(7);
    let rows: Vec<_> = (0..200).map(|number| numbered(&mut history, number)).collect();
    let mut active = BTreeSet::new();
    for _ in 0..1_500 {
        let row = generator.pick(&rows).clone();
        let state = if active.remove(&row.id) { ComponentState::Inactive } else { ComponentState::Active };
        if state == ComponentState::Active {
            active.insert(row.id);
        }
        history.commit(mortise::model::Cause::Finish, vec![Row::Component(ComponentRow { state, ..row })]);
        let predicate = Predicate { interface: Some(name("http")), selector: Default::default() };
        let found: BTreeSet<_> = resolved(&history.catalog, &predicate).into_iter().collect();
        assert_eq!(found, active);
    }
}

#[test]
fn consumers_couplings_and_requirers_are_those_of_the_recorded_requirements() {
    let mut coupled = 0;
    each_history(|_, history| {
        let requirements = requirements(history);
        let all: Vec<(&Slot, &ResolvedRequire)> = requirements
            .iter()
            .flat_map(|(slot, row)| row.spec.requires.iter().map(move |require| (slot, require)))
            .collect();
        for provider in history.catalog.components_after(None).map(|component| component.id()) {
            let mut expected: Vec<_> = all.iter().filter(|(_, require)| require.matched(provider)).collect();
            expected.sort_by_key(|(slot, require)| (*slot, &require.name));
            let expected: Vec<_> =
                expected.iter().map(|(slot, require)| ((*slot).clone(), require.name.clone(), require.scope)).collect();
            let read = |consumers: Vec<mortise::catalog::Consumer<'_>>| -> Vec<_> {
                let read = consumers.into_iter();
                read.map(|consumer| {
                    (consumer.attempt.slot.clone(), consumer.require.name.clone(), consumer.require.scope)
                })
                .collect()
            };
            assert_eq!(read(history.catalog.consumers(provider)), expected);
            let lasting = expected.into_iter().filter(|(_, _, scope)| *scope == mortise::model::Scope::Runtime);
            assert_eq!(read(history.catalog.couplings_on(provider)), lasting.collect::<Vec<_>>());
            coupled += history.catalog.couplings_on(provider).len();
        }
        for interface in generator::INTERFACES {
            let mut expected: Vec<_> = all
                .iter()
                .filter(|(_, require)| {
                    require.predicate.interface.as_ref().is_some_and(|name| name.as_str() == interface)
                })
                .map(|(slot, require)| (format!("{:?}", require.predicate), (*slot).clone(), require.name.clone()))
                .collect();
            let groups = history.catalog.requirers(interface);
            let firsts: Vec<_> =
                groups.iter().map(|group| group.requirers.first().map(|(row, name)| (&row.slot, *name))).collect();
            assert!(firsts.is_sorted(), "groups are ordered by their first requirer");
            let predicates: BTreeSet<_> = groups.iter().map(|group| format!("{:?}", group.predicate)).collect();
            assert_eq!(predicates.len(), groups.len(), "equal predicates are one group");
            let mut found: Vec<_> = groups
                .iter()
                .flat_map(|group| {
                    group
                        .requirers
                        .iter()
                        .map(|(row, name)| (format!("{:?}", group.predicate), row.slot.clone(), (*name).clone()))
                })
                .collect();
            expected.sort();
            found.sort();
            assert_eq!(found, expected);
        }
    });
    assert!(coupled > 100, "the histories are too dull: {coupled} couplings");
}

#[test]
fn planned_components_are_those_of_the_attempts_that_are_open() {
    let mut planned = 0;
    each_history(|_, history| {
        let mut expected: BTreeMap<ComponentId, ComponentRow> = BTreeMap::new();
        for change in &history.changes {
            for row in &change.rows {
                match row {
                    Row::DeploymentSpec(spec) if spec.opening.is_none() => {
                        expected.retain(|_, row| row.deployment != Some(spec.id))
                    }
                    Row::DeploymentSpec(spec) => {
                        let resolution = resolution(&change.rows, spec.id).expect("what is opened is resolved");
                        let made = resolution.spec.provides.iter();
                        let made =
                            made.filter_map(|provide| provide.made_by(spec, ComponentState::Planned, change.time));
                        expected.extend(made.map(|row| (row.id, row)));
                    }
                    _ => {}
                }
            }
        }
        let found: Vec<_> = history.catalog.planned_components_after(None).map(|component| component.row()).collect();
        assert_eq!(found, expected.values().cloned().collect::<Vec<_>>());
        let mut by_interface = BTreeSet::new();
        for interface in generator::INTERFACES {
            let predicate = Predicate { interface: Some(name(interface)), selector: Default::default() };
            let found = history.catalog.planned(&predicate, &Effort::unlimited());
            assert!(found.is_sorted_by(|left, right| left.match_order(right).is_lt()));
            by_interface.extend(found.iter().map(Component::id));
        }
        assert_eq!(by_interface, expected.keys().copied().collect());
        assert!(
            found
                .iter()
                .all(|row| !resolved(&history.catalog, &everything()).contains(&row.id) || is_active(history, row.id))
        );
        planned += found.len();
    });
    assert!(planned > 30, "the histories are too dull: {planned} planned");
}

#[test]
fn known_interfaces_and_label_keys_are_those_of_active_components() {
    each_history(|_, history| {
        let active: Vec<_> = history.catalog.components_after(None).filter(Component::is_active).collect();
        let interfaces: BTreeSet<_> = active.iter().map(|component| component.interface().to_string()).collect();
        let catalog = &history.catalog;
        let provided = catalog.interfaces().after(None).filter(|known| catalog.is_provided(known));
        assert_eq!(provided.map(str::to_owned).collect::<BTreeSet<_>>(), interfaces);
        let keys: BTreeSet<_> = active
            .iter()
            .flat_map(|component| component.labels().iter().map(|(key, _)| key.clone()).collect::<Vec<Name>>())
            .collect();
        let common = Catalog::COMMON_LABEL_KEYS.into_iter().filter(|key| catalog.is_label_key(key));
        let found: BTreeSet<_> = catalog.label_keys().after(None).chain(common).map(name).collect();
        assert_eq!(found, keys);
        assert!(keys.iter().all(|key| catalog.is_label_key(key.as_str())));
    });
}

fn each_history(mut test: impl FnMut(&mut Generator, &mut History)) {
    for seed in 0..HISTORIES {
        let mut generator = Generator::new(seed);
        let mut history = History::default();
        for _ in 0..generator.below(CHANGES) + 1 {
            random_change(&mut generator, &mut history);
        }
        test(&mut generator, &mut history);
    }
}

/// What each attempt that is active now was resolved to, by slot.
fn requirements(history: &History) -> BTreeMap<Slot, ResolutionRow> {
    let rows: Vec<_> = history.changes.iter().flat_map(|change| change.rows.iter().cloned()).collect();
    let mut attempts: BTreeMap<DeploymentId, DeploymentSpec> = BTreeMap::new();
    for row in &rows {
        if let Row::DeploymentSpec(spec) = row {
            attempts.insert(spec.id, spec.clone());
        }
    }
    let active = attempts.into_values().filter(|spec| spec.current_state == State::Active);
    active.map(|spec| (spec.slot, resolution(&rows, spec.id).expect("what is active was resolved"))).collect()
}

fn resolution(rows: &[Row], deployment: DeploymentId) -> Option<ResolutionRow> {
    rows.iter().find_map(|row| match row {
        Row::Resolution(row) if row.deployment == deployment => Some(row.as_ref().clone()),
        _ => None,
    })
}

fn resolved(catalog: &Catalog, predicate: &Predicate) -> Vec<ComponentId> {
    let found = catalog.resolve(predicate, &Excluded::default(), usize::MAX, &Effort::unlimited());
    found.handles.iter().map(|&handle| catalog.component(handle).id()).collect()
}

fn everything() -> Predicate {
    Predicate { interface: None, selector: Default::default() }
}

fn is_active(history: &History, id: ComponentId) -> bool {
    history.catalog.find_component(id).is_some_and(|handle| history.catalog.component(handle).is_active())
}

/// All rows as text, in an order of their own: that of slots and keys says nothing.
fn contents(catalog: &Catalog) -> Vec<String> {
    let mut rows: Vec<_> = catalog.rows().map(|row| serde_json::to_string(&row).unwrap()).collect();
    rows.sort();
    rows
}

fn numbered(history: &mut History, number: usize) -> ComponentRow {
    let slot = Slot { artifact: name(&format!("a{number}")), environment: name("test"), instance: "".into() };
    let labels =
        [("interface", "http"), ("environment", "test"), ("layer", "server"), ("name", slot.artifact.as_str())];
    ComponentRow {
        id: history.next_component(),
        owner: mortise::model::Owner::Slot(slot.clone()),
        system: None,
        interface: name("http"),
        layer: mortise::model::Layer::Server,
        version: None,
        labels: labels.into_iter().map(|(key, value)| (name(key), value.into())).collect(),
        attributes: Default::default(),
        state: ComponentState::Active,
        since: history.time(),
        deployment: None,
    }
}
