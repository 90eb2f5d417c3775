//! A page of a list of attempts, for each filter, beside the newest page of all of them.

use std::time::Instant;

use mortise::model::{
    Action, Cause, ChangeSet, Condition, DeploymentId, DeploymentSpec, Name, Outcome, PlanId, Row, Slot, State,
    Timestamp,
};
use mortise::store::embedded::EmbeddedStore;
use mortise::store::{DeploymentFilter, Page, Store};
use uuid::Uuid;

const ATTEMPTS: usize = 100_000;
/// As many attempts as a busy batch opens.
const EACH: usize = 100;
const ASKED: usize = 51;

pub fn run() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let store = EmbeddedStore::open(folder.path()).expect("an empty folder can be opened");
    for first in (0..ATTEMPTS).step_by(EACH) {
        store.append(&[change(first)]).expect("the disk has room");
    }
    let any = DeploymentFilter::default;
    let some = |text: &str| Some(text.to_owned());
    let all = page(&store, &any());
    let filters = [
        ("artifact", DeploymentFilter { artifact: some("artifact-7"), ..any() }),
        ("system", DeploymentFilter { system: some("rare"), ..any() }),
        ("environment", DeploymentFilter { environment: some("rare"), ..any() }),
        ("actor", DeploymentFilter { actor: some("rare"), ..any() }),
        ("state", DeploymentFilter { state: Some(State::Error), ..any() }),
        ("outcome", DeploymentFilter { outcome: Some(Outcome::Failed), ..any() }),
        ("condition", DeploymentFilter { condition: Some(Condition::Pending), ..any() }),
        ("to", DeploymentFilter { to: Some(Timestamp::from_milliseconds(50)), ..any() }),
        ("actor and system", DeploymentFilter { actor: some("rare"), system: some("shop"), ..any() }),
        ("targetState", DeploymentFilter { target_state: Some(State::Deleted), ..any() }),
    ];
    print!("a page of {ATTEMPTS} attempts: {:.2} ms; by", all * 1e3);
    for (name, filter) in filters {
        print!(" {name} {:.1} times", page(&store, &filter) / all);
    }
    println!();
}

fn change(first: usize) -> ChangeSet {
    let name = |text: &str| Name::new(text).expect("the names of the benchmark are valid");
    let time = Timestamp::from_milliseconds((first / EACH) as i64);
    let attempt = |number: usize| {
        let id = DeploymentId(Uuid::from_u128(number as u128 + 1));
        let is_open = number.is_multiple_of(10);
        let (current_state, outcome) = match number {
            _ if is_open => (State::Draft, None),
            _ if number % 9_999 == 1 => (State::Error, Some(Outcome::Failed)),
            _ => (State::Active, Some(Outcome::Succeeded)),
        };
        let of_few = |common: &'static str| if number % 10_000 == 5 { "rare" } else { common };
        Row::DeploymentSpec(DeploymentSpec {
            id,
            plan: PlanId(id.0),
            slot: Slot {
                artifact: name(&format!("artifact-{}", number % 1_000)),
                environment: name(of_few("test")),
                instance: "".into(),
            },
            system: name(of_few("shop")),
            version: "1.0".into(),
            number: number as u64,
            current_state,
            target_state: State::Active,
            opening: is_open.then_some(Action::Publish),
            outcome,
            reason: None,
            ended: None,
            created_at: time,
            finished_at: None,
            actor: Some(of_few("ci").to_owned()),
            supersedes: None,
        })
    };
    let revision = (first / EACH) as u64 + 1;
    let (id, cause, beside) = (Uuid::from_u128(revision.into()), Cause::Start, Vec::new());
    ChangeSet { revision, id, time, cause, actor: None, rows: (first..first + EACH).map(attempt).collect(), beside }
}

/// Seconds for the first page: the median of several.
fn page(store: &EmbeddedStore, filter: &DeploymentFilter) -> f64 {
    let mut took: Vec<_> = (0..ASKED)
        .map(|_| {
            let started = Instant::now();
            store.deployments(filter, Page::newest(100)).expect("the store can be read");
            started.elapsed().as_secs_f64()
        })
        .collect();
    took.sort_by(f64::total_cmp);
    took[took.len() / 2]
}
