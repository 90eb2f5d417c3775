//! Questions asked of the graph.

use std::sync::Arc;

use super::names::Beginning;
use super::{App, AppError};
use crate::catalog::{Catalog, Component, ComponentFilter};
use crate::model::limits::{LOOKED_AT, SHOWN_OF_A_THING};
use crate::model::{ComponentId, ComponentRow, Coupling, DeploymentSpec, PlanId, ReceivedRow};
use crate::store::{DeploymentFilter, Page, Store, StoreError};

/// A page of a list, and where the next one begins.
#[derive(Clone, Debug)]
pub struct Listed<T, P> {
    /// The items, in the order of the list.
    pub items: Vec<T>,
    /// The place of the last item, where there are more after it.
    pub next: Option<P>,
}

impl<T, P> Listed<T, P> {
    /// The first `limit` of `found`, which has one more where there are more; `place` is that of an item in the list.
    pub(super) fn first(mut found: Vec<T>, limit: usize, place: impl FnOnce(&T) -> P) -> Self {
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(place);
        Self { items: found, next }
    }
}

/// A Component with what belongs to it.
#[derive(Clone, Debug)]
pub struct ComponentDetail {
    /// The Component.
    pub component: ComponentRow,
    /// Its consumers of both scopes, ordered by slot and require.
    pub consumers: Beginning<Coupling>,
    /// The attempts of its slot.
    pub attempts: Attempts,
}

/// The newest attempts of a thing, the newest first.
#[derive(Clone, Debug, Default)]
pub struct Attempts {
    /// The attempts.
    pub newest: Vec<DeploymentSpec>,
    /// Whether there may be older ones.
    pub more: bool,
}

impl App {
    /// Specification and input of every attempt of a plan as received.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where there is none.
    pub async fn received(&self, id: PlanId) -> Result<(Vec<Arc<ReceivedRow>>, bool), AppError> {
        let plan = self.record(id).await?;
        Ok((plan.members.into_iter().map(|member| member.received).collect(), plan.is_set))
    }

    /// Attempts, the newest first.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] where the store cannot be read.
    pub async fn deployments(
        &self,
        filter: DeploymentFilter,
        limit: usize,
        before: Option<i64>,
    ) -> Result<Listed<DeploymentSpec, i64>, AppError> {
        let page = Page { before, ..Page::newest(limit) };
        let found = self.blocking(move |store| store.deployments(&filter, page)).await??;
        Ok(Listed { items: found.items.into_iter().map(|listed| listed.spec).collect(), next: found.next })
    }

    /// Components in order of their ids, which is that of their first planning.
    ///
    /// # Errors
    /// [`AppError::Internal`] where the search itself fails.
    pub async fn components(
        &self,
        filter: ComponentFilter,
        limit: usize,
        after: Option<ComponentId>,
    ) -> Result<Listed<ComponentRow, ComponentId>, AppError> {
        let catalog = self.catalog();
        self.blocking(move |_| {
            let page = catalog.list_components(&filter, after, limit, LOOKED_AT);
            Listed { items: page.components.iter().map(Component::row).collect(), next: page.next }
        })
        .await
    }

    /// A Component, or else what an open attempt would make.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where there is none.
    pub async fn component(&self, id: ComponentId) -> Result<ComponentDetail, AppError> {
        self.found_at_last(async || {
            let catalog = self.catalog();
            self.blocking(move |store| component_detail(&catalog, store, id)).await?
        })
        .await
    }
}

fn component_detail(catalog: &Catalog, store: &dyn Store, id: ComponentId) -> Result<ComponentDetail, AppError> {
    let planned = || catalog.planned_component(id);
    let component = catalog.find_component(id).map(|handle| catalog.component(handle)).or_else(planned);
    let component = component.ok_or_else(|| AppError::not_found(format!("the component {id}")))?;
    let attempts = component.slot().map(|slot| {
        let filter = DeploymentFilter {
            artifact: Some(slot.artifact.to_string()),
            environment: Some(slot.environment.to_string()),
            instance: Some(slot.instance.to_string()),
            ..DeploymentFilter::default()
        };
        newest_attempts(store, &filter)
    });
    Ok(ComponentDetail {
        component: component.row(),
        consumers: catalog.some_couplings_of(&component, SHOWN_OF_A_THING).into(),
        attempts: attempts.transpose()?.unwrap_or_default(),
    })
}

/// The newest attempts among those that `filter` accepts, as many as are shown where a thing names its attempts.
pub(super) fn newest_attempts(store: &dyn Store, filter: &DeploymentFilter) -> Result<Attempts, StoreError> {
    let found = store.deployments(filter, Page::newest(SHOWN_OF_A_THING))?;
    let newest = found.items.into_iter().map(|listed| listed.spec).collect();
    Ok(Attempts { newest, more: found.next.is_some() })
}
