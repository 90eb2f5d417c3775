//! Decisions: the table of actions, and what holds of every command.

#[path = "world/generator.rs"]
mod generator;
#[path = "world/history.rs"]
mod history;

use std::sync::Arc;

use generator::{Generator, random_change, set};
use history::History;
use mortise::lifecycle::{Command, Finish, FinishMember, FinishRefusal, Moment, RULES, StartRefusal, allowed, ended};
use mortise::model::{Action, DeploymentSpec, Dialect, Settings, Slot, State};

/// The table of the domain: the action, in which states, and whether the attempt must be open (`open`), must not (`ended`), or
/// may be either.
const TABLE: [(&str, &str, &str); 11] = [
    ("publish", "Draft Inactive Error", "ended"),
    ("finish", "Draft Active Inactive Deleted Error", "open"),
    ("stop", "Active", "ended"),
    ("start", "Inactive", "ended"),
    ("unpublish", "Inactive Error", "ended"),
    ("abandon", "Draft Active Inactive Deleted Error", "open"),
    ("report", "Active Inactive", "either"),
    ("delete", "Draft", "ended"),
    ("clone", "Draft Active Inactive Deleted Error", "either"),
    ("retry", "Error", "ended"),
    ("restore", "Inactive Deleted", "ended"),
];

fn attempt(history: &mut History, generator: &mut Generator) -> DeploymentSpec {
    let slot = Slot { artifact: history::name("own"), environment: history::name("test"), instance: "".into() };
    history.open(&generator::spec(generator, slot.clone()));
    history.catalog.slot(&slot).unwrap().open().unwrap().spec.as_ref().clone()
}

#[test]
fn each_action_is_allowed_when_the_table_of_the_domain_says_so() {
    let open = attempt(&mut History::default(), &mut Generator::new(1));
    assert_eq!(RULES.map(|rule| rule.action.as_str()), TABLE.map(|(action, ..)| action));
    for (rule, (action, states, openness)) in RULES.iter().zip(TABLE) {
        for current_state in State::ALL {
            for opening in [None, Some(Action::Publish)] {
                let attempt = DeploymentSpec { current_state, opening, ..open.clone() };
                let fits = match openness {
                    "open" => opening.is_some(),
                    "ended" => opening.is_none(),
                    _ => true,
                };
                let expected = fits && states.split(' ').any(|state| state == current_state.as_str());
                assert_eq!(rule.allows(&attempt), expected, "{action} in {current_state:?}, {opening:?}");
            }
        }
    }
    assert_eq!(allowed(&open).collect::<Vec<_>>(), [Action::Finish]);
}

#[test]
fn what_ends_reaches_its_target_or_stays_and_only_a_publish_that_fails_is_an_error() {
    let open = attempt(&mut History::default(), &mut Generator::new(1));
    let of = |opening, current_state, target_state| DeploymentSpec {
        opening: Some(opening),
        current_state,
        target_state,
        ..open.clone()
    };
    use State::{Active, Deleted, Draft, Error, Inactive};
    let cases = [
        (Action::Publish, Draft, Active, (Active, Active), (Error, Active)),
        (Action::Stop, Active, Inactive, (Inactive, Inactive), (Active, Active)),
        (Action::Start, Inactive, Active, (Active, Active), (Inactive, Inactive)),
        (Action::Unpublish, Error, Deleted, (Deleted, Deleted), (Error, Error)),
    ];
    for (opening, current, target, success, failure) in cases {
        let attempt = of(opening, current, target);
        assert_eq!((ended(&attempt, true), ended(&attempt, false)), (success, failure), "{opening:?}");
    }
}

#[test]
fn a_command_is_decided_the_same_however_often_and_changes_nothing_itself() {
    let mut started = 0;
    for seed in 0..200 {
        let (mut generator, mut history) = (Generator::new(seed), History::default());
        (0..15).for_each(|_| random_change(&mut generator, &mut history));
        let start = history.start(&set(&mut generator));
        let moment = Moment { catalog: &history.catalog, time: history.time() };
        let (first, second) = (start.decide(moment), start.decide(moment));
        let steps =
            |decided: Result<mortise::lifecycle::Decision<_>, StartRefusal>| decided.map(|decided| decided.steps);
        let (first, second) = (steps(first), steps(second));
        assert_eq!(first, second);
        started += usize::from(first.is_ok());
        let revision = history.catalog.revision();
        assert_eq!(revision, history.changes.len() as u64);
    }
    assert!(started > 50, "only {started} could be started");
}

#[test]
fn a_start_that_was_read_by_other_settings_is_refused_whatever_else_holds() {
    let (mut generator, mut history) = (Generator::new(3), History::default());
    let slot = Slot { artifact: history::name("own"), environment: history::name("test"), instance: "".into() };
    let mut start = history.start(&[generator::spec(&mut generator, slot)]);
    let settings = Settings { quantifier_dialect: Dialect::Regex, ..Settings::default() };
    history.commit(mortise::model::Cause::Settings, vec![mortise::model::Row::Settings(settings.clone())]);
    let moment = Moment { catalog: &history.catalog, time: history.time() };
    assert_eq!(start.decide(moment).err(), Some(StartRefusal::OtherSettings));
    start.settings = Arc::new(settings);
    assert!(start.decide(moment).is_ok());
}

#[test]
fn only_what_is_open_can_be_finished() {
    let (mut generator, mut history) = (Generator::new(5), History::default());
    let open = attempt(&mut history, &mut generator);
    let member = FinishMember {
        id: open.id,
        slot: open.slot.clone(),
        token: None,
        corrected: Vec::new(),
        bytes: 0,
        together: vec![open.id],
        looked: None,
    };
    let finish = Finish { members: vec![member], success: true, reason: None, actor: None };
    assert!(finish.decide(Moment { catalog: &history.catalog, time: history.time() }).is_ok());
    history.finish(&open.slot, false);
    let decided = finish.decide(Moment { catalog: &history.catalog, time: history.time() });
    assert_eq!(decided.err(), Some(FinishRefusal::NoneOpen));
}
