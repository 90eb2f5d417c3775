//! What a page of a list of attempts costs among a hundred thousand, counted in the attempts and index entries looked at.

use mortise::model::{
    Action, Cause, ChangeSet, Condition, DeploymentSpec, Outcome, PlanId, Row, Slot, State, Timestamp,
};
use mortise::store::embedded::EmbeddedStore;
use mortise::store::{DeploymentFilter, Page, Store};
use uuid::Uuid;

use crate::history::{deployment_id, name};

/// How many attempts the history has.
const MANY: usize = 100_000;
/// Of these the older ones have ended.
const ENDED: usize = 60_000;
/// How many attempts one change of it opens.
const EACH: usize = 500;
const LIMIT: usize = 50;
/// So many entries of each of several indexes tell which one leads to the fewest.
const COUNTED: usize = 4 * 256;
/// So many of the newest attempts may have no entry of their names yet: four kinds take turns.
const LATE: usize = 2_000 + 4 * EACH;

crate::harness::tests![
    what_an_index_has_costs_what_is_returned,
    what_several_indexes_have_costs_what_the_rarest_has,
    what_no_index_has_is_looked_for_in_steps,
];

fn attempt(number: usize) -> DeploymentSpec {
    let is_open = number >= ENDED;
    let id = deployment_id(number as u64);
    let (current_state, outcome) = match number {
        _ if is_open => (State::Draft, None),
        10..15 => (State::Error, Some(Outcome::Failed)),
        _ if number % 50 == 7 => (State::Active, Some(Outcome::Succeeded)),
        _ => (State::Inactive, Some(Outcome::Succeeded)),
    };
    let artifact = if number.is_multiple_of(2) { "hot".to_owned() } else { format!("a-{}", number % 1_000) };
    DeploymentSpec {
        id,
        plan: PlanId(id.0),
        slot: Slot {
            artifact: name(&artifact),
            environment: name(if number % 1_000 == 3 { "rare" } else { ["test", "production"][number % 3 / 2] }),
            instance: if number % 5_000 == 9 { "blue".into() } else { "".into() },
        },
        system: name(&format!("system-{}", if number < 3 { 99 } else { number % 20 })),
        version: "1.0".into(),
        number: number as u64,
        current_state,
        target_state: if matches!(number, 20..24) { State::Deleted } else { State::Active },
        opening: is_open.then_some(Action::Publish),
        outcome,
        reason: None,
        ended: None,
        created_at: Timestamp::from_milliseconds((number / EACH * 1_000) as i64),
        finished_at: None,
        actor: Some(if matches!(number, 30..35) { "alice".to_owned() } else { format!("ci-{}", number % 7) }),
        supersedes: None,
    }
}

struct World {
    store: EmbeddedStore,
    attempts: Vec<DeploymentSpec>,
    _folder: tempfile::TempDir,
}

fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(folder.path()).unwrap();
    let attempts: Vec<_> = (0..MANY).map(attempt).collect();
    let changes = (1..).zip(attempts.chunks(EACH)).map(|(revision, some)| ChangeSet {
        revision,
        id: Uuid::from_u128(u128::from(revision)),
        time: some[0].created_at,
        cause: Cause::Start,
        actor: None,
        rows: some.iter().cloned().map(Row::DeploymentSpec).collect(),
        beside: Vec::new(),
    });
    changes.for_each(|change| store.append(&[change]).unwrap());
    World { store, attempts, _folder: folder }
}

impl World {
    /// The most that was looked at for a page of the whole list, which must have exactly what the filter accepts.
    fn costliest_page(&self, filter: &DeploymentFilter) -> usize {
        let accepted = self.attempts.iter().rev().filter(|attempt| crate::conformance::accepts(filter, attempt));
        let (mut listed, mut before, mut costliest) = (Vec::new(), None, 0);
        loop {
            let page = Page { before, ..Page::newest(LIMIT) };
            let page = self.store.deployments(filter, page).unwrap();
            costliest = costliest.max(page.looked);
            listed.extend(page.items.into_iter().map(|listed| listed.spec.id));
            let Some(next) = page.next else { break };
            before = Some(next);
        }
        assert!(listed.iter().eq(accepted.map(|attempt| &attempt.id)), "{filter:?}");
        costliest
    }
}

fn any() -> DeploymentFilter {
    DeploymentFilter::default()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn what_an_index_has_costs_what_is_returned() {
    let world = world();
    let time = |number: usize| Some(world.attempts[number].created_at);
    let filters = [
        DeploymentFilter { from: time(99_500), ..any() },
        DeploymentFilter { to: time(2_000), ..any() },
        DeploymentFilter { from: time(41_000), to: time(43_000), ..any() },
        DeploymentFilter { artifact: some("hot"), to: time(9_000), ..any() },
        DeploymentFilter { artifact: some("a-7"), ..any() },
        DeploymentFilter { artifact: some("a-7"), environment: some("test"), ..any() },
        DeploymentFilter { system: some("system-99"), ..any() },
        DeploymentFilter { system: some("system-4"), to: time(20_000), ..any() },
        DeploymentFilter { environment: some("rare"), ..any() },
        DeploymentFilter { actor: some("alice"), ..any() },
        DeploymentFilter { actor: some("nobody"), ..any() },
        DeploymentFilter { outcome: Some(Outcome::Failed), ..any() },
        DeploymentFilter { outcome: Some(Outcome::Abandoned), ..any() },
        DeploymentFilter { state: Some(State::Active), ..any() },
        DeploymentFilter { state: Some(State::Error), ..any() },
        DeploymentFilter { state: Some(State::Draft), from: time(90_000), ..any() },
        DeploymentFilter { condition: Some(Condition::Pending), from: time(90_000), ..any() },
        DeploymentFilter { condition: Some(Condition::Error), ..any() },
    ];
    for filter in &filters {
        let looked = world.costliest_page(filter);
        let is_chosen = filter.artifact.is_some() && filter.environment.is_some();
        let has_late =
            [&filter.artifact, &filter.system, &filter.environment, &filter.actor].iter().any(|name| name.is_some());
        let most = LIMIT + 1 + if is_chosen { COUNTED } else { 0 } + if has_late { LATE } else { 0 };
        assert!(looked <= most, "{filter:?} looks at {looked}");
    }
}

fn what_several_indexes_have_costs_what_the_rarest_has() {
    let world = world();
    let filters = [
        DeploymentFilter { actor: some("alice"), environment: some("test"), ..any() },
        DeploymentFilter { state: Some(State::Error), system: some("system-11"), ..any() },
        DeploymentFilter { environment: some("rare"), condition: Some(Condition::Pending), ..any() },
        DeploymentFilter { outcome: Some(Outcome::Failed), artifact: some("hot"), ..any() },
        DeploymentFilter { environment: some("rare"), system: some("system-3"), actor: some("ci-1"), ..any() },
    ];
    for filter in &filters {
        let looked = world.costliest_page(filter);
        assert!(looked <= COUNTED + 256 + LATE, "{filter:?} looks at {looked}");
    }
}

fn what_no_index_has_is_looked_for_in_steps() {
    let world = world();
    let filters = [
        DeploymentFilter { target_state: Some(State::Deleted), ..any() },
        DeploymentFilter { condition: Some(Condition::Ok), target_state: Some(State::Inactive), ..any() },
        DeploymentFilter { instance: some("blue"), ..any() },
        DeploymentFilter { outcome: Some(Outcome::Succeeded), ..any() },
        DeploymentFilter { state: Some(State::Inactive), ..any() },
        DeploymentFilter { system: some("system-4"), environment: some("production"), actor: some("ci-3"), ..any() },
        DeploymentFilter { artifact: some("hot"), instance: some("blue"), ..any() },
    ];
    for filter in &filters {
        let looked = world.costliest_page(filter);
        assert!(looked <= Page::LOOKS + COUNTED, "{filter:?} looks at {looked}");
    }
    let page = world.store.deployments(&filters[0], Page::newest(LIMIT)).unwrap();
    assert!(page.items.is_empty() && page.next.is_some(), "an empty page goes on");
}
