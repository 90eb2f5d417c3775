//! Environments: their first-deployment policy.

use std::convert::Infallible;

use super::{Command, Decision, Moment};
use crate::model::{Cause, EnvironmentRow, FirstDeployment, Name, Row};

/// Set the policy of an Environment.
#[derive(Clone, Debug)]
pub struct PutEnvironment {
    /// Its name.
    pub name: Name,
    /// Its policy; the server's where absent.
    pub first_deployment: Option<FirstDeployment>,
    /// Who sets it.
    pub actor: Option<String>,
}

/// The policy was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnvironmentPut {
    /// Whether the Environment was not known before.
    pub is_new: bool,
}

impl Command for PutEnvironment {
    type Answer = EnvironmentPut;
    type Refusal = Infallible;

    fn decide(&self, moment: Moment<'_>) -> Result<Decision<EnvironmentPut>, Infallible> {
        let before = moment.catalog.environment(self.name.as_str());
        let proven = before.as_ref().is_some_and(|row| row.proven);
        let row = EnvironmentRow { name: self.name.clone(), first_deployment: self.first_deployment, proven };
        let answer = EnvironmentPut { is_new: before.is_none() };
        if before.as_ref() == Some(&row) {
            return Ok(Decision::nothing(answer));
        }
        Ok(Decision::one(Cause::PutEnvironment, self.actor.clone(), vec![Row::Environment(row)], answer))
    }
}
