//! A recorded plan as it is answered: its rows, and those that its matches refer to.

use std::sync::Arc;

use crate::catalog::Catalog;
use crate::model::{ComponentId, ComponentRows, PlanRecord, Warning};
use crate::wire::{MatchView, MatchedRows};

/// A recorded plan, and where the values of its matches stand.
pub struct PlanAnswer {
    /// The plan.
    pub plan: PlanRecord,
    /// The rows that its matches refer to.
    pub rows: PlanRows,
    /// What a reader of this answer should know besides: which member, and what; pointers are relative to its specification.
    pub warnings: Vec<(usize, Warning)>,
}

/// Where the rows stand that the matches of a plan refer to.
pub enum PlanRows {
    /// In the Catalog that it was resolved against a moment ago.
    Catalog(Arc<Catalog>),
    /// In the history.
    History(ComponentRows),
}

impl MatchedRows for PlanRows {
    fn matched(&self, component: ComponentId, revision: u64) -> Option<MatchView<'_>> {
        match self {
            Self::Catalog(catalog) => catalog.matched(component, revision),
            Self::History(rows) => rows.matched(component, revision),
        }
    }

    fn bytes(&self, component: ComponentId, revision: u64) -> usize {
        match self {
            Self::Catalog(catalog) => catalog.bytes(component, revision),
            Self::History(rows) => rows.bytes(component, revision),
        }
    }
}
