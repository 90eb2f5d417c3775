//! DeploymentSpecs: attempts to bring one ArtifactVersion into one slot, and their states.

use smol_str::SmolStr;

use serde::{Deserialize, Serialize};

use super::{DeploymentId, Name, PlanId, Slot, Timestamp};

/// The states of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    /// Planned.
    Draft,
    /// It runs.
    Active,
    /// It ran.
    Inactive,
    /// It is gone.
    Deleted,
    /// It failed, or something outside broke it. Never a target.
    Error,
}

impl State {
    /// Every state, in documented order.
    pub const ALL: [Self; 5] = [Self::Draft, Self::Active, Self::Inactive, Self::Deleted, Self::Error];

    /// The state as written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "Draft",
            Self::Active => "Active",
            Self::Inactive => "Inactive",
            Self::Deleted => "Deleted",
            Self::Error => "Error",
        }
    }
}

/// How an attempt stands, derived from its state and whether it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Condition {
    /// Nothing is under way and nothing is wrong.
    Ok,
    /// It is open.
    Pending,
    /// Its current state is `Error`.
    Error,
}

impl Condition {
    /// Every condition, in documented order.
    pub const ALL: [Self; 3] = [Self::Ok, Self::Pending, Self::Error];

    /// The condition as written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "Ok",
            Self::Pending => "Pending",
            Self::Error => "Error",
        }
    }
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The deploy script said so.
    Succeeded,
    /// The deploy script said so.
    Failed,
    /// Nobody said anything in time, or somebody gave it up.
    Abandoned,
    /// Something else kept it from being carried out.
    Blocked,
}

impl Outcome {
    /// Every outcome, in documented order.
    pub const ALL: [Self; 4] = [Self::Succeeded, Self::Failed, Self::Abandoned, Self::Blocked];

    /// The outcome as written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
            Self::Blocked => "blocked",
        }
    }
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident $word:literal,)*) => {
        /// What can be done to an attempt. Which action is allowed when is the table of the lifecycle.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum Action {
            $($(#[$doc])* $name,)*
        }

        impl Action {
            /// Every action, in documented order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The action as written.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

actions! {
    /// Bring it into its slot.
    Publish "publish",
    /// Say how what is under way ended.
    Finish "finish",
    /// Take it out of its slot, so that it can be started again.
    Stop "stop",
    /// Bring what was stopped back.
    Start "start",
    /// Take it away for good.
    Unpublish "unpublish",
    /// Give up what is under way.
    Abandon "abandon",
    /// Say that something outside broke it.
    Report "report",
    /// Remove a draft.
    Delete "delete",
    /// Make a new draft of it.
    Clone "clone",
    /// Try again what failed, as a new attempt.
    Retry "retry",
    /// Bring back what ran once, as a new attempt.
    Restore "restore",
}

impl Action {
    /// Reads an action.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.as_str() == text)
    }
}

/// One attempt as it is recorded: the absolute state of its row. Its specification, inputs and resolutions never change
/// and are rows of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentSpec {
    /// Its identity.
    pub id: DeploymentId,
    /// The plan that it is a member of.
    pub plan: PlanId,
    /// The slot.
    pub slot: Slot,
    /// The System of the Artifact.
    pub system: Name,
    /// The version it brings.
    pub version: SmolStr,
    /// Its number in the slot, from 1.
    pub number: u64,
    /// The state it is in.
    pub current_state: State,
    /// The state it should come to.
    pub target_state: State,
    /// What is under way; absent where nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opening: Option<Action>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Why, as the deploy script said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The revision that ended it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<u64>,
    /// When it was opened first.
    pub created_at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// Who opened it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The attempt that it took the slot from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<DeploymentId>,
}

impl DeploymentSpec {
    /// How it stands.
    pub fn condition(&self) -> Condition {
        if self.current_state == State::Error {
            Condition::Error
        } else if self.opening.is_some() {
            Condition::Pending
        } else {
            Condition::Ok
        }
    }
}
