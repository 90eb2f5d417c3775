//! The table of actions: which is allowed when, and what becomes of an attempt when what was opened ends.

use crate::model::{Action, DeploymentSpec, State};

/// Whether an attempt must be open for an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Openness {
    /// It must be.
    Open,
    /// It must not be.
    Ended,
    /// It may be or not.
    Either,
}

/// When an action is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The action.
    pub action: Action,
    /// In which of the attempt's current states.
    pub states: &'static [State],
    /// Whether the attempt must be open.
    pub openness: Openness,
    /// The target that it opens the attempt for; absent where it opens nothing.
    pub target: Option<State>,
    /// Whether it can be asked for as yet.
    pub is_offered: bool,
    /// What it does, for people.
    pub about: &'static str,
}

const ANY: &[State] = &State::ALL;

/// Every action, in documented order. Where an action brings something into a slot, nothing else may be open or active there.
pub const RULES: [Rule; 11] = [
    Rule {
        action: Action::Publish,
        states: &[State::Draft, State::Inactive, State::Error],
        openness: Openness::Ended,
        target: Some(State::Active),
        is_offered: false,
        about: "brings it into its slot; a start does it in one step",
    },
    Rule {
        action: Action::Finish,
        states: ANY,
        openness: Openness::Open,
        target: None,
        is_offered: true,
        about: "says how what is under way ended",
    },
    Rule {
        action: Action::Stop,
        states: &[State::Active],
        openness: Openness::Ended,
        target: Some(State::Inactive),
        is_offered: false,
        about: "takes it out of its slot, so that it can be started again",
    },
    Rule {
        action: Action::Start,
        states: &[State::Inactive],
        openness: Openness::Ended,
        target: Some(State::Active),
        is_offered: false,
        about: "brings back what was stopped; it is resolved again",
    },
    Rule {
        action: Action::Unpublish,
        states: &[State::Inactive, State::Error],
        openness: Openness::Ended,
        target: Some(State::Deleted),
        is_offered: false,
        about: "takes it away for good",
    },
    Rule {
        action: Action::Abandon,
        states: ANY,
        openness: Openness::Open,
        target: None,
        is_offered: false,
        about: "gives up what is under way",
    },
    Rule {
        action: Action::Report,
        states: &[State::Active, State::Inactive],
        openness: Openness::Either,
        target: None,
        is_offered: false,
        about: "says that something outside broke it",
    },
    Rule {
        action: Action::Delete,
        states: &[State::Draft],
        openness: Openness::Ended,
        target: None,
        is_offered: false,
        about: "removes a draft",
    },
    Rule {
        action: Action::Clone,
        states: ANY,
        openness: Openness::Either,
        target: None,
        is_offered: false,
        about: "makes a new draft of it",
    },
    Rule {
        action: Action::Retry,
        states: &[State::Error],
        openness: Openness::Ended,
        target: None,
        is_offered: false,
        about: "tries again what failed, as a new attempt",
    },
    Rule {
        action: Action::Restore,
        states: &[State::Inactive, State::Deleted],
        openness: Openness::Ended,
        target: None,
        is_offered: false,
        about: "brings back what ran once, as a new attempt",
    },
];

impl Rule {
    /// The rule of an action.
    pub fn of(action: Action) -> &'static Self {
        RULES.iter().find(|rule| rule.action == action).expect("every action has a rule")
    }

    /// Whether the attempt is as the rule demands. What else stands in its slot is another question.
    pub fn allows(&self, attempt: &DeploymentSpec) -> bool {
        let is_open = attempt.opening.is_some();
        let fits = match self.openness {
            Openness::Open => is_open,
            Openness::Ended => !is_open,
            Openness::Either => true,
        };
        fits && self.states.contains(&attempt.current_state)
    }
}

/// What can be asked for now, in documented order.
pub fn allowed(attempt: &DeploymentSpec) -> impl Iterator<Item = Action> + '_ {
    RULES.iter().filter(|rule| rule.is_offered && rule.allows(attempt)).map(|rule| rule.action)
}

/// The current and the target state of an open attempt once what was opened has ended: with success the target is reached; a
/// publish that failed is an error, and anything else that failed leaves the attempt as it was.
pub fn ended(attempt: &DeploymentSpec, success: bool) -> (State, State) {
    match (success, attempt.opening) {
        (true, _) => (attempt.target_state, attempt.target_state),
        (false, Some(Action::Publish)) => (State::Error, attempt.target_state),
        (false, _) => (attempt.current_state, attempt.current_state),
    }
}
