//! What every [`Store`] keeps, whatever stands behind it.

use std::sync::atomic::{AtomicBool, Ordering};

use mortise::catalog::Catalog;
use mortise::model::{
    Attempt, Beside, Cause, ChangeSet, Condition, DeploymentId, KeptKey, KeyRow, Name, Outcome, PlanId, Slot, State,
    Timestamp,
};
use mortise::store::{CommitError, DeploymentFilter, ListedDeployment, Page, Store, Turn, plan};
use uuid::Uuid;

use crate::database::Absent;
use crate::generator::{Generator, random_change};
use crate::history::{History, deployment_id};
use crate::sample::{Sample, received, slot, token};

/// Where a store is kept: opened empty first, and then again with all that was committed.
pub trait Place {
    /// An empty place, where there can be one here.
    fn new() -> Result<Self, Absent>
    where
        Self: Sized;

    /// Opens the store. The one opened before was dropped.
    fn open(&self) -> Box<dyn Store>;
}

/// Makes one test of each law for a [`Place`]: `conformance!(Embedded)`.
macro_rules! conformance {
    ($place:ty) => {
        $crate::conformance::conformance!($place:
            an_empty_store_loads_an_empty_catalog,
            what_is_loaded_is_what_applying_the_changes_gives,
            a_batch_that_does_not_follow_the_last_revision_leaves_nothing,
            changes_come_back_as_they_were_committed_in_order,
            what_is_kept_beside_the_history_comes_with_the_change_that_wrote_it_last,
            an_attempt_comes_back_with_what_was_received_and_its_newest_resolution,
            a_set_comes_back_with_its_members_in_order,
            attempts_are_listed_newest_first_in_pages,
            names_that_would_be_refused_now_come_back,
            each_filter_of_the_list_takes_exactly_what_it_names,
            a_store_that_was_closed_opens_again_with_everything,
            a_store_that_was_dropped_opens_again_with_everything,
            offered_snapshots_change_nothing,
            readers_on_other_threads_see_whole_batches,
        );
    };
    ($place:ty: $($law:ident,)*) => {
        pub(crate) fn laws() -> Vec<libtest_mimic::Trial> {
            vec![$($crate::harness::trial(module_path!(), stringify!($law), || {
                <$place as $crate::conformance::Place>::new().map(|place| $crate::conformance::$law(&place))
            })),*]
        }
    };
}
pub(crate) use conformance;

const ALL: Page = Page { limit: 1_000, before: None, looks: Page::LOOKS };

pub fn an_empty_store_loads_an_empty_catalog(place: &impl Place) {
    let store = place.open();
    let catalog = store.load().unwrap();
    assert_eq!((catalog.revision(), catalog.rows().count()), (0, 0));
    assert!(store.changes_after(0, 10).unwrap().is_empty());
    assert!(stored(store.as_ref(), deployment_id(1)).is_none());
    assert!(store.set(PlanId(Uuid::from_u128(1))).unwrap().is_none());
    assert!(store.deployments(&DeploymentFilter::default(), ALL).unwrap().items.is_empty());
    store.append(&[]).unwrap();
    assert_eq!(store.load().unwrap().revision(), 0);
}

pub fn what_is_loaded_is_what_applying_the_changes_gives(place: &impl Place) {
    let mut generator = Generator::new(11);
    let mut history = History::default();
    let store = place.open();
    let mut committed = 0;
    for _ in 0..12 {
        (0..=generator.below(8)).for_each(|_| random_change(&mut generator, &mut history));
        store.append(&history.changes[committed..]).unwrap();
        committed = history.changes.len();
        assert_same(&store.load().unwrap(), &history.catalog);
    }
    drop(store);
    assert_same(&place.open().load().unwrap(), &history.catalog);
}

pub fn a_batch_that_does_not_follow_the_last_revision_leaves_nothing(place: &impl Place) {
    let store = place.open();
    let mut sample = Sample::default();
    let opened = sample.open("shop", slot("a", "test", ""), None);
    sample.end(opened, Outcome::Succeeded);
    store.append(&sample.changes).unwrap();
    let (plan, _) = sample.open_set(&[("shop", slot("a", "test", "")), ("shop", slot("b", "test", ""))], None, true);
    sample.touch("test");
    let next = sample.changes[2..].to_vec();

    let renumbered = |revisions: [u64; 2]| -> Vec<ChangeSet> {
        next.iter().zip(revisions).map(|(change, revision)| ChangeSet { revision, ..change.clone() }).collect()
    };
    for revisions in [[2, 3], [1, 2], [4, 5], [3, 3], [3, 5], [3, 2], [0, 1], [u64::MAX - 1, u64::MAX]] {
        let refused = store.append(&renumbered(revisions));
        assert!(matches!(refused, Err(CommitError::Failed(_))), "{revisions:?} gave {refused:?}");
        assert_eq!(store.changes_after(0, 10).unwrap(), sample.changes[..2], "{revisions:?} left something");
        assert_eq!(
            store.deployments(&DeploymentFilter::default(), ALL).unwrap().items.len(),
            1,
            "{revisions:?} left something"
        );
        assert!(store.set(plan).unwrap().is_none(), "{revisions:?} left something");
        assert_same(&store.load().unwrap(), &applied(&sample.changes[..2]));
    }
    store.append(&next).unwrap();
    assert_same(&store.load().unwrap(), &applied(&sample.changes));
}

/// Names with characters that are not seen were allowed once.
pub fn names_that_would_be_refused_now_come_back(place: &impl Place) {
    let store = place.open();
    let mut sample = Sample::default();
    let name = |text: &str| Name::recorded(text).unwrap();
    assert!(Name::new("a\u{200b}").is_err());
    let slot = Slot { artifact: name("a\u{200b}"), environment: name("te\u{202e}st"), instance: "x\u{feff}".into() };
    let id = sample.open("shop", slot.clone(), Some("anna\u{2066}"));
    sample.end(id, Outcome::Succeeded);
    store.append(&sample.changes).unwrap();
    drop(store);
    let store = place.open();
    assert_same(&store.load().unwrap(), &applied(&sample.changes));
    assert_eq!(store.changes_after(0, 10).unwrap(), sample.changes);
    let listed = store.deployments(&DeploymentFilter::default(), ALL).unwrap();
    assert_eq!(listed.items.iter().map(|listed| &listed.spec.slot).collect::<Vec<_>>(), [&slot]);
}

pub fn changes_come_back_as_they_were_committed_in_order(place: &impl Place) {
    let store = place.open();
    let mut generator = Generator::new(5);
    let mut history = History::default();
    while history.changes.len() < 30 {
        random_change(&mut generator, &mut history);
    }
    let changes = history.changes;
    changes.chunks(7).for_each(|batch| store.append(batch).unwrap());
    let last = changes.len();
    assert_eq!(store.changes_after(0, usize::MAX).unwrap(), changes);
    assert_eq!(store.changes_after(0, 4).unwrap(), changes[..4]);
    assert_eq!(store.changes_after(10, 4).unwrap(), changes[10..14]);
    assert_eq!(store.changes_after(last as u64 - 2, 100).unwrap(), changes[last - 2..]);
    assert!(store.changes_after(last as u64, 100).unwrap().is_empty());
    assert!(store.changes_after(last as u64 + 5, 100).unwrap().is_empty());
    assert!(store.changes_after(0, 0).unwrap().is_empty());
}

pub fn what_is_kept_beside_the_history_comes_with_the_change_that_wrote_it_last(place: &impl Place) {
    let key = |key: &str, plan| Beside::Key(KeyRow { key: KeptKey::of(key), plan: PlanId(Uuid::from_u128(plan)) });
    let change = |revision: u64, beside| ChangeSet {
        revision,
        id: Uuid::from_u128(revision.into()),
        time: Timestamp::from_milliseconds(revision as i64),
        cause: Cause::Start,
        actor: None,
        rows: Vec::new(),
        beside,
    };
    let store = place.open();
    // In the order of keys as they are kept.
    let mut two = ["a", "b"];
    two.sort_by_key(|name| KeptKey::of(name));
    let two = || two.map(|name| key(name, 2)).to_vec();
    store.append(&[change(1, vec![key("again", 1)]), change(2, two())]).unwrap();
    store.append(&[change(3, vec![key("again", 3)]), change(4, Vec::new())]).unwrap();
    let due = [change(1, vec![]), change(2, two()), change(3, vec![key("again", 3)]), change(4, vec![])];
    for (after, limit) in [(0, 10), (0, 1), (1, 1), (1, 2), (2, 1), (3, 10)] {
        let found = store.changes_after(after as u64, limit).unwrap();
        assert_eq!(found, due[after..(after + limit).min(4)], "{limit} after {after}");
    }
    let mut missed = Vec::new();
    let mut learn = |turn: Turn<'_>| {
        missed = turn.missed.to_vec();
        Vec::new()
    };
    store.commit(1, &mut learn).unwrap();
    if store.is_shared() {
        assert_eq!(missed, due[1..]);
    }
    drop(store);
    let catalog = place.open().load().unwrap();
    assert_eq!(
        ["again", "b"].map(|name| catalog.plan_of_key(&KeptKey::of(name))),
        [3, 2].map(|plan| Some(PlanId(Uuid::from_u128(plan))))
    );
}

pub fn an_attempt_comes_back_with_what_was_received_and_its_newest_resolution(place: &impl Place) {
    let store = place.open();
    let mut sample = Sample::default();
    let first = sample.open("shop", slot("a", "test", ""), Some("ci/a"));
    let (_, members) =
        sample.open_set(&[("shop", slot("b", "test", "")), ("other", slot("c", "test", "blue"))], None, true);
    sample.end(first, Outcome::Succeeded);
    store.append(&sample.changes).unwrap();
    for attempt in sample.attempts() {
        let found = stored(store.as_ref(), attempt.id).unwrap();
        assert_eq!(found.spec, *attempt);
        assert_eq!(found.kept_token, Some(token(attempt.id)));
        assert_eq!(*found.received, received(attempt));
        assert!(found.resolution.spec.description.as_ref().unwrap().contains("as planned"));
        assert_eq!(found.resolution.deployment, attempt.id);
    }

    let corrected = sample.resolve_again(members[1], "corrected");
    store.append(&sample.changes[3..]).unwrap();
    let corrected_again = sample.resolve_again(members[1], "corrected again");
    store.append(&sample.changes[4..]).unwrap();
    let found = stored(store.as_ref(), members[1]).unwrap();
    assert_ne!(*found.resolution, corrected);
    assert_eq!(*found.resolution, corrected_again);
    assert_eq!(*found.received, received(sample.attempt(members[1])));
    let other = stored(store.as_ref(), members[0]).unwrap();
    assert!(other.resolution.spec.description.as_ref().unwrap().contains("as planned"));
    assert!(stored(store.as_ref(), DeploymentId(Uuid::from_u128(9))).is_none());
}

/// An attempt with what belongs to it, looked at alone.
fn stored(store: &dyn Store, id: DeploymentId) -> Option<Attempt> {
    plan(store, PlanId(id.0)).unwrap().map(|mut plan| plan.members.remove(0))
}

pub fn a_set_comes_back_with_its_members_in_order(place: &impl Place) {
    let store = place.open();
    let mut sample = Sample::default();
    let members = ["c", "a", "b"].map(|artifact| ("shop", slot(artifact, "test", "")));
    let (many, ids) = sample.open_set(&members, None, true);
    let (one, only) = sample.open_set(&[("shop", slot("d", "test", ""))], None, true);
    let single = sample.open("shop", slot("e", "test", ""), None);
    store.append(&sample.changes).unwrap();
    for (plan, members) in [(many, ids), (one, only)] {
        let found = store.set(plan).unwrap().unwrap();
        assert_eq!((found.id, found.members), (plan, members));
    }
    assert!(store.set(PlanId(single.0)).unwrap().is_none(), "a plan of one specification is no set");
}

pub fn attempts_are_listed_newest_first_in_pages(place: &impl Place) {
    let store = place.open();
    let sample = many_attempts();
    sample.changes.chunks(5).for_each(|batch| store.append(batch).unwrap());
    let newest_first: Vec<_> = sample.attempts().iter().rev().map(|attempt| attempt.id).collect();
    for limit in [1, 3, 7, newest_first.len(), 1_000] {
        let (mut listed, mut before) = (Vec::new(), None);
        loop {
            let page = Page { before, ..Page::newest(limit) };
            let page = store.deployments(&DeploymentFilter::default(), page).unwrap();
            assert!(page.items.len() <= limit);
            assert!(page.next.is_none_or(|next| Some(next) == page.items.last().map(|last| last.place)));
            listed.extend(page.items.into_iter().map(|listed| listed.spec.id));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(listed, newest_first, "in pages of {limit}");
    }
    let listed = store.deployments(&DeploymentFilter::default(), ALL).unwrap().items;
    assert!(listed.is_sorted_by(|left, right| left.place > right.place));
    for ListedDeployment { spec, .. } in listed {
        assert_eq!(spec, *sample.attempt(spec.id), "it is listed as it is now");
    }
}

pub fn each_filter_of_the_list_takes_exactly_what_it_names(place: &impl Place) {
    let store = place.open();
    let sample = many_attempts();
    store.append(&sample.changes).unwrap();
    let some = |text: &str| Some(text.to_owned());
    let any = DeploymentFilter::default;
    let (from, to) = (sample.attempts()[3].created_at, sample.attempts()[9].created_at);
    let mut filters = vec![
        DeploymentFilter { system: some("shop"), ..any() },
        DeploymentFilter { system: some("Shop"), ..any() },
        DeploymentFilter { artifact: some("a"), ..any() },
        DeploymentFilter { artifact: some("nothing"), ..any() },
        DeploymentFilter { environment: some("production"), ..any() },
        DeploymentFilter { instance: some(""), ..any() },
        DeploymentFilter { instance: some("blue"), ..any() },
        DeploymentFilter { actor: some("ci/a"), ..any() },
        DeploymentFilter { actor: some("' OR 1=1 --"), ..any() },
        DeploymentFilter { from: Some(from), ..any() },
        DeploymentFilter { to: Some(to), ..any() },
        DeploymentFilter { from: Some(from), to: Some(to), ..any() },
        DeploymentFilter { from: Some(to), to: Some(from), ..any() },
        DeploymentFilter { artifact: some("a"), environment: some("test"), instance: some("blue"), ..any() },
        DeploymentFilter { condition: Some(Condition::Pending), system: some("shop"), ..any() },
    ];
    filters.extend(State::ALL.map(|state| DeploymentFilter { state: Some(state), ..any() }));
    filters.extend(State::ALL.map(|state| DeploymentFilter { target_state: Some(state), ..any() }));
    filters.extend(Condition::ALL.map(|condition| DeploymentFilter { condition: Some(condition), ..any() }));
    filters.extend(Outcome::ALL.map(|outcome| DeploymentFilter { outcome: Some(outcome), ..any() }));
    let mut taken = 0;
    for filter in filters {
        let expected: Vec<_> = sample
            .attempts()
            .iter()
            .rev()
            .filter(|attempt| accepts(&filter, attempt))
            .map(|attempt| attempt.id)
            .collect();
        let found = store.deployments(&filter, ALL).unwrap().items;
        assert_eq!(found.iter().map(|found| found.spec.id).collect::<Vec<_>>(), expected, "{filter:?}");
        if let [first, .., _] = &found[..] {
            let page = Page { before: Some(first.place), ..Page::newest(1) };
            let next = store.deployments(&filter, page).unwrap();
            assert_eq!(next.items[0].spec.id, expected[1], "{filter:?}");
            assert_eq!(next.next.is_some(), expected.len() > 2, "{filter:?}");
        }
        // Whatever few are looked at for a page, its `next` leads to all of them.
        let (mut listed, mut before) = (Vec::new(), None);
        loop {
            let page = store.deployments(&filter, Page { limit: 2, before, looks: 3 }).unwrap();
            assert!(page.items.len() <= 2, "{filter:?}");
            listed.extend(page.items.iter().map(|found| found.spec.id));
            let Some(next) = page.next else { break };
            assert!(before.is_none_or(|before| next < before), "{filter:?}");
            before = Some(next);
        }
        assert_eq!(listed, expected, "{filter:?} in steps");
        taken += usize::from(!expected.is_empty() && expected.len() < sample.attempts().len());
    }
    assert!(taken >= 15, "the sample is too dull: only {taken} filters take some and leave some");
}

pub fn a_store_that_was_closed_opens_again_with_everything(place: &impl Place) {
    let mut sample = many_attempts();
    let half = sample.changes.len() / 2;
    let store = place.open();
    store.append(&sample.changes[..half]).unwrap();
    store.close(&applied(&sample.changes[..half]));
    drop(store);
    let store = place.open();
    assert_same(&store.load().unwrap(), &applied(&sample.changes[..half]));
    store.append(&sample.changes[half..]).unwrap();
    let late = sample.open("shop", slot("late", "test", ""), None);
    store.append(&sample.changes[sample.changes.len() - 1..]).unwrap();
    store.close(&applied(&sample.changes));
    drop(store);
    let store = place.open();
    assert_same(&store.load().unwrap(), &applied(&sample.changes));
    let newest = store.deployments(&DeploymentFilter::default(), Page::newest(1)).unwrap();
    assert_eq!(newest.items[0].spec.id, late, "places go on where they ended");
}

pub fn a_store_that_was_dropped_opens_again_with_everything(place: &impl Place) {
    let sample = many_attempts();
    for (index, change) in sample.changes.iter().enumerate().take(6) {
        place.open().append(std::slice::from_ref(change)).unwrap();
        assert_same(&place.open().load().unwrap(), &applied(&sample.changes[..=index]));
    }
}

pub fn offered_snapshots_change_nothing(place: &impl Place) {
    let store = place.open();
    let sample = many_attempts();
    let mut catalog = store.load().unwrap();
    for change in &sample.changes {
        store.append(std::slice::from_ref(change)).unwrap();
        catalog.apply(change);
        store.offer_snapshot(&std::sync::Arc::new(catalog.clone()));
    }
    assert_same(&store.load().unwrap(), &catalog);
    drop(store);
    assert_same(&place.open().load().unwrap(), &catalog);
}

pub fn readers_on_other_threads_see_whole_batches(place: &impl Place) {
    let store = place.open();
    let mut sample = Sample::default();
    for batch in 0..40 {
        let artifact = format!("artifact-{batch}");
        sample.open_set(
            &[("shop", slot(&artifact, "test", "")), ("shop", slot(&artifact, "production", ""))],
            None,
            true,
        );
        sample.touch("test");
    }
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut seen = 0;
                while !is_done.load(Ordering::Relaxed) {
                    let found = store.changes_after(0, usize::MAX).unwrap().len();
                    assert_eq!(found % 2, 0, "half of a batch is seen");
                    assert!(found >= seen, "what was seen is gone");
                    seen = found;
                    assert_eq!(
                        store.deployments(&DeploymentFilter::default(), ALL).unwrap().items.len() % 2,
                        0,
                        "half of a set is seen"
                    );
                }
            });
        }
        let committed = sample.changes.chunks(2).try_for_each(|batch| store.append(batch));
        is_done.store(true, Ordering::Relaxed);
        committed.unwrap();
    });
    assert_eq!(store.changes_after(0, usize::MAX).unwrap(), sample.changes);
}

/// Attempts in every state that there is yet, of several Systems, Environments, instances and actors.
fn many_attempts() -> Sample {
    let mut sample = Sample::default();
    for round in 0..3 {
        for (index, artifact) in ["a", "b", "c", "d"].into_iter().enumerate() {
            let system = ["shop", "middleware"][index % 2];
            let environment = ["test", "production"][(index + round) % 2];
            let instance = ["", "blue"][index / 2];
            let opened =
                sample.open(system, slot(artifact, environment, instance), ["ci/a", "ci/b"].get(index).copied());
            match (round + index) % 4 {
                0 | 1 => sample.end(opened, Outcome::Succeeded),
                2 => sample.end(opened, Outcome::Failed),
                _ => {}
            }
        }
    }
    let (_, members) =
        sample.open_set(&[("shop", slot("s", "test", "")), ("shop", slot("t", "test", ""))], Some("ci/a"), true);
    sample.end(members[0], Outcome::Abandoned);
    sample
}

/// What the filter means, asked of the attempt itself.
pub fn accepts(filter: &DeploymentFilter, attempt: &mortise::model::DeploymentSpec) -> bool {
    let text = |wished: &Option<String>, is: &str| wished.as_ref().is_none_or(|wished| wished == is);
    text(&filter.system, attempt.system.as_str())
        && text(&filter.artifact, attempt.slot.artifact.as_str())
        && text(&filter.environment, attempt.slot.environment.as_str())
        && text(&filter.instance, &attempt.slot.instance)
        && filter.actor.as_ref().is_none_or(|actor| Some(actor) == attempt.actor.as_ref())
        && filter.state.is_none_or(|state| state == attempt.current_state)
        && filter.target_state.is_none_or(|state| state == attempt.target_state)
        && filter.condition.is_none_or(|condition| condition == attempt.condition())
        && filter.outcome.is_none_or(|outcome| Some(outcome) == attempt.outcome)
        && filter.from.is_none_or(|from| attempt.created_at >= from)
        && filter.to.is_none_or(|to| attempt.created_at < to)
}

/// The Catalog that these changes give.
pub fn applied(changes: &[ChangeSet]) -> Catalog {
    let mut catalog = Catalog::default();
    changes.iter().for_each(|change| catalog.apply(change));
    catalog
}

/// Whether two Catalogs hold the same rows, and stand at the same place in the history.
#[track_caller]
pub fn assert_same(found: &Catalog, expected: &Catalog) {
    assert_eq!((found.revision(), found.time()), (expected.revision(), expected.time()));
    let rows = |catalog: &Catalog| {
        let mut rows: Vec<String> = catalog.rows().map(|row| serde_json::to_string(&row).unwrap()).collect();
        rows.sort();
        rows
    };
    assert_eq!(rows(found), rows(expected));
}
