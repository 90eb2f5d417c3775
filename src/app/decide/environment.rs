//! Environments: their first-deployment policy.

use super::{Answer, Decision};
use crate::catalog::Catalog;
use crate::model::{EnvironmentRow, FirstDeployment, Name, Row};

/// Set the policy of an Environment.
#[derive(Debug)]
pub struct PutEnvironment {
    /// Its name.
    pub name: Name,
    /// Its policy; the server's where absent.
    pub first_deployment: Option<FirstDeployment>,
    /// Who sets it.
    pub actor: Option<String>,
}

impl PutEnvironment {
    pub(super) fn decide(&self, catalog: &Catalog) -> Decision {
        let before = catalog.environment(self.name.as_str());
        let proven = before.as_ref().is_some_and(|row| row.proven);
        let row = EnvironmentRow { name: self.name.clone(), first_deployment: self.first_deployment, proven };
        let rows = if before.as_ref() == Some(&row) { Vec::new() } else { vec![Row::Environment(row)] };
        Decision { rows, answer: Answer::EnvironmentPut { is_new: before.is_none() } }
    }
}
