//! The settings that change answers.

use std::convert::Infallible;

use super::{Command, Decision, Moment};
use crate::model::{Cause, Row, Settings};

/// Set the settings.
#[derive(Clone, Debug)]
pub struct ChangeSettings {
    /// All of them, as they are to be.
    pub settings: Settings,
}

impl Command for ChangeSettings {
    type Answer = ();
    type Refusal = Infallible;

    fn decide(&self, moment: Moment<'_>) -> Result<Decision<()>, Infallible> {
        if moment.catalog.settings() == Some(&self.settings) {
            return Ok(Decision::nothing(()));
        }
        Ok(Decision::one(Cause::Settings, None, vec![Row::Settings(self.settings.clone())], ()))
    }
}
