//! Questions asked of the graph.

use serde::Serialize;

use super::coupling::CouplingView;
use super::views::{self, Leases};
use super::{App, AppError};
use crate::catalog::Component;
use crate::document::JsonText;
use crate::model::{
    ComponentId, ComponentState, Condition, DeploymentId, DeploymentSpec, Name, Outcome, PlanId, ReceivedRow, Selector,
    State, Timestamp,
};
use crate::store::{DeploymentFilter, ListedDeployment, Page};
use crate::wire::{MatchView, PlanView};

/// How many attempts are shown where a thing names its attempts.
pub(super) const ATTEMPTS: usize = 100;

/// Which Components to list; absent: any.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs, reason = "each field is the property of the Component of that name")]
pub struct ComponentFilter {
    pub system: Option<String>,
    pub environment: Option<String>,
    pub interface: Option<String>,
    pub artifact: Option<String>,
    pub server: Option<String>,
    pub state: Option<ComponentState>,
    pub selector: Selector,
}

/// A page of Components, and where the next one begins.
pub struct ComponentPage {
    /// The items, as JSON.
    pub items: Vec<JsonText>,
    /// The id of the last item, where there are more after it.
    pub next: Option<ComponentId>,
}

/// A page of anything, and where the next one begins.
pub struct Listed {
    /// The items, as JSON.
    pub items: Vec<JsonText>,
    /// The cursor of the next page, where there is one.
    pub next: Option<String>,
}

/// An attempt in a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AttemptView<'a> {
    id: DeploymentId,
    #[serde(skip_serializing_if = "Option::is_none")]
    set: Option<PlanId>,
    system: &'a Name,
    artifact: &'a Name,
    version: &'a str,
    environment: &'a Name,
    #[serde(skip_serializing_if = "str::is_empty")]
    instance: &'a str,
    number: u64,
    current_state: State,
    target_state: State,
    condition: Condition,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    supersedes: Option<DeploymentId>,
}

impl<'a> From<&'a DeploymentSpec> for AttemptView<'a> {
    fn from(spec: &'a DeploymentSpec) -> Self {
        Self {
            id: spec.id,
            set: (spec.plan.0 != spec.id.0).then_some(spec.plan),
            system: &spec.system,
            artifact: &spec.slot.artifact,
            version: &spec.version,
            environment: &spec.slot.environment,
            instance: &spec.slot.instance,
            number: spec.number,
            current_state: spec.current_state,
            target_state: spec.target_state,
            condition: spec.condition(),
            created_at: spec.created_at,
            actor: spec.actor.as_deref(),
            outcome: spec.outcome,
            reason: spec.reason.as_deref(),
            finished_at: spec.finished_at,
            supersedes: spec.supersedes,
        }
    }
}

impl App {
    /// A recorded plan, or a member of a set, as it is now; without its lease.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where there is none.
    pub async fn plan(&self, id: PlanId) -> Result<PlanView, AppError> {
        let found = self.blocking(move |store| views::members_of(store, id)).await??;
        let (members, is_set) = found.ok_or_else(|| AppError::not_found(format!("the deployment {id}")))?;
        Ok(views::plan(id, members, is_set, Leases::Hidden))
    }

    /// Specification and input of every attempt of a plan as received.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where there is none.
    pub async fn received(&self, id: PlanId) -> Result<(Vec<ReceivedRow>, bool), AppError> {
        let found = self.blocking(move |store| views::members_of(store, id)).await??;
        let (members, is_set) = found.ok_or_else(|| AppError::not_found(format!("the deployment {id}")))?;
        Ok((members.into_iter().map(|member| member.received).collect(), is_set))
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
    ) -> Result<Listed, AppError> {
        let page = Page { limit: limit + 1, before };
        let mut found = self.blocking(move |store| store.deployments(&filter, page)).await??;
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|last| last.place.to_string());
        Ok(Listed { items: attempts(&found), next })
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
    ) -> Result<ComponentPage, AppError> {
        let catalog = self.catalog();
        // A filter that little satisfies looks at every Component.
        self.blocking(move |_| {
            let state = filter.state.unwrap_or(ComponentState::Active);
            let mut found: Vec<Component<'_>> = if state == ComponentState::Planned {
                let planned = catalog.planned_components_after(after).into_iter();
                planned.filter(|component| filter.accepts(component)).take(limit + 1).collect()
            } else {
                let known = catalog.components_after(after).filter(|component| component.state() == state);
                known.filter(|component| filter.accepts(component)).take(limit + 1).collect()
            };
            let more = found.len() > limit;
            found.truncate(limit);
            let next = found.last().filter(|_| more).map(Component::id);
            ComponentPage { items: found.iter().map(|component| text(&MatchView::from(component))).collect(), next }
        })
        .await
    }

    /// A Component, or else what an open attempt would make, its consumers, and the attempts of its slot, the newest first.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where there is none.
    pub async fn component(&self, id: ComponentId) -> Result<JsonText, AppError> {
        self.found_at_last(async || self.known_component(id).await).await
    }

    async fn known_component(&self, id: ComponentId) -> Result<JsonText, AppError> {
        #[derive(Serialize)]
        struct View<'a> {
            #[serde(flatten)]
            component: MatchView<'a>,
            consumers: Vec<CouplingView>,
            attempts: Vec<JsonText>,
        }
        let catalog = self.catalog();
        let planned = || catalog.planned_components_after(None).into_iter().find(|component| component.id() == id);
        let component = catalog.find_component(id).map(|handle| catalog.component(handle)).or_else(planned);
        let component = component.ok_or_else(|| AppError::not_found(format!("the component {id}")))?;
        let attempts = match component.slot() {
            None => Vec::new(),
            Some(slot) => {
                let filter = DeploymentFilter {
                    artifact: Some(slot.artifact.to_string()),
                    environment: Some(slot.environment.to_string()),
                    instance: Some(slot.instance.to_string()),
                    ..DeploymentFilter::default()
                };
                self.deployments(filter, ATTEMPTS, None).await?.items
            }
        };
        let consumers = catalog.consumers(id);
        let consumers =
            consumers.iter().map(|consumer| CouplingView::new(consumer, consumer.is_broken_on(&component))).collect();
        Ok(text(&View { component: MatchView::from(&component), consumers, attempts }))
    }
}

impl ComponentFilter {
    fn accepts(&self, component: &Component<'_>) -> bool {
        let is = |wanted: &Option<String>, actual: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| actual == Some(wanted))
        };
        let name = component.name().as_ref();
        is(&self.system, component.system().map(AsRef::as_ref))
            && is(&self.environment, Some(component.environment()))
            && is(&self.interface, Some(component.interface()))
            && is(&self.artifact, (!component.is_server()).then_some(name))
            && is(&self.server, component.is_server().then_some(name))
            && self.selector.accepts(|key| component.label(key))
    }
}

fn attempts(found: &[ListedDeployment]) -> Vec<JsonText> {
    found.iter().map(|listed| text(&AttemptView::from(&listed.spec))).collect()
}

pub(super) fn text(view: &impl Serialize) -> JsonText {
    JsonText::of(view).expect("every key of an answer is text")
}
