//! Questions asked of the graph.

use serde::Serialize;

use super::views::{self, CouplingView, Leases};
use super::{App, AppError};
use crate::catalog::{Catalog, Component};
use crate::document::JsonText;
use crate::model::{
    ArtifactRow, ComponentId, ComponentState, Condition, DeploymentId, DeploymentSpec, EnvironmentRow, FirstDeployment,
    InterfaceRow, Layer, Name, Outcome, PlanId, ReceivedRow, Selector, State, SystemRow, Timestamp,
};
use crate::spec::nearest;
use crate::store::{DeploymentFilter, ListedDeployment, Page};
use crate::wire::{MatchView, PlanView};

/// How many attempts are shown where a thing names its attempts.
const ATTEMPTS: usize = 100;

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

/// The kinds of things that are known by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the thing of that name")]
pub enum NamedKind {
    System,
    Artifact,
    Interface,
    Environment,
    Server,
}

impl NamedKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Artifact => "artifact",
            Self::Interface => "interface",
            Self::Environment => "environment",
            Self::Server => "server",
        }
    }
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

    /// A Component, its consumers, and the attempts of its slot, the newest first.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where there is none.
    pub async fn component(&self, id: ComponentId) -> Result<JsonText, AppError> {
        #[derive(Serialize)]
        struct View<'a> {
            #[serde(flatten)]
            component: MatchView<'a>,
            consumers: Vec<CouplingView>,
            attempts: Vec<JsonText>,
        }
        let catalog = self.catalog();
        let handle = catalog.find_component(id).ok_or_else(|| AppError::not_found(format!("the component {id}")))?;
        let component = catalog.component(handle);
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

    /// Things known by name, in name order.
    ///
    /// # Errors
    /// [`AppError::Internal`] where the search itself fails.
    pub async fn named(&self, kind: NamedKind, limit: usize, after: Option<String>) -> Result<Listed, AppError> {
        let catalog = self.catalog();
        // The names are sorted for the answer, and there may be many.
        self.blocking(move |_| {
            let (after, count) = (after.as_deref(), limit + 1);
            let mut found: Vec<(String, JsonText)> = match kind {
                NamedKind::System => {
                    entries(&catalog.systems_after(after, count), |row| (&row.name, text(&SystemView::from(row))))
                }
                NamedKind::Artifact => {
                    entries(&catalog.artifacts_after(after, count), |row| (&row.name, text(&ArtifactView::from(row))))
                }
                NamedKind::Interface => {
                    entries(&catalog.interfaces_after(after, count), |row| (&row.name, text(&InterfaceView::from(row))))
                }
                NamedKind::Environment => entries(&catalog.environments_after(after, count), |row| {
                    (&row.name, text(&EnvironmentView::from(row)))
                }),
                NamedKind::Server => entries(&catalog.servers_after(after, count), |server| {
                    (server.name(), text(&ServerView::from(server)))
                }),
            };
            let more = found.len() > limit;
            found.truncate(limit);
            let next = found.last().filter(|_| more).map(|(name, _)| name.clone());
            Listed { items: found.into_iter().map(|(_, item)| item).collect(), next }
        })
        .await
    }

    /// One thing known by name, with what belongs to it.
    ///
    /// # Errors
    /// [`AppError::NotFound`] with the nearest name, where there is none.
    pub async fn named_one(&self, kind: NamedKind, name: &str) -> Result<JsonText, AppError> {
        let catalog = self.catalog();
        let missing = || not_found(&catalog, kind, name);
        match kind {
            NamedKind::System => {
                #[derive(Serialize)]
                struct View<'a> {
                    #[serde(flatten)]
                    system: SystemView<'a>,
                    artifacts: Vec<Name>,
                    interfaces: Vec<Name>,
                }
                let row = catalog.system(name).ok_or_else(missing)?;
                let (artifacts, interfaces) = catalog.owned_by(&row.name);
                Ok(text(&View { system: (&row).into(), artifacts, interfaces }))
            }
            NamedKind::Artifact => {
                #[derive(Serialize)]
                struct View<'a> {
                    #[serde(flatten)]
                    artifact: ArtifactView<'a>,
                    environments: Vec<Name>,
                    attempts: Vec<JsonText>,
                }
                let row = catalog.artifact(name).ok_or_else(missing)?;
                let filter = DeploymentFilter { artifact: Some(name.to_owned()), ..DeploymentFilter::default() };
                let attempts = self.deployments(filter, ATTEMPTS, None).await?.items;
                let environments = catalog.environments_of(&row.name);
                Ok(text(&View { artifact: (&row).into(), environments, attempts }))
            }
            NamedKind::Interface => Ok(interface_view(&catalog, &catalog.interface(name).ok_or_else(missing)?)),
            NamedKind::Environment => Ok(text(&EnvironmentView::from(&catalog.environment(name).ok_or_else(missing)?))),
            NamedKind::Server => {
                #[derive(Serialize)]
                struct View<'a> {
                    #[serde(flatten)]
                    server: ServerView<'a>,
                    consumers: Vec<CouplingView>,
                }
                let server = catalog.server(name).ok_or_else(missing)?;
                let consumers = catalog.consumers(server.id());
                let consumers =
                    consumers.iter().map(|consumer| CouplingView::new(consumer, consumer.is_broken_on(&server)));
                let consumers = consumers.collect();
                Ok(text(&View { server: ServerView::from(&server), consumers }))
            }
        }
    }

    pub(super) fn no_server(&self, name: &str) -> AppError {
        not_found(&self.catalog(), NamedKind::Server, name)
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

fn entries<'a, R, N: ToString + ?Sized + 'a>(
    rows: &'a [R],
    entry: impl Fn(&'a R) -> (&'a N, JsonText),
) -> Vec<(String, JsonText)> {
    rows.iter().map(entry).map(|(name, item)| (name.to_string(), item)).collect()
}

fn text(view: &impl Serialize) -> JsonText {
    JsonText::of(view).expect("every key of an answer is text")
}

fn not_found(catalog: &Catalog, kind: NamedKind, name: &str) -> AppError {
    let near = match kind {
        NamedKind::System => nearest(name, catalog.system_names()),
        NamedKind::Artifact => nearest(name, catalog.artifact_names()),
        NamedKind::Interface => nearest(name, catalog.interface_names()),
        NamedKind::Environment => nearest(name, catalog.environment_names()),
        NamedKind::Server => nearest(name, catalog.server_names()),
    };
    AppError::NotFound { what: format!("the {} `{name}`", kind.as_str()), nearest: near.map(str::to_owned) }
}

fn interface_view(catalog: &Catalog, row: &InterfaceRow) -> JsonText {
    #[derive(Serialize)]
    struct View<'a> {
        #[serde(flatten)]
        interface: InterfaceView<'a>,
        providers: Vec<MatchView<'a>>,
        requirers: Vec<RequirerView<'a>>,
    }
    /// Requires that ask the same, so that it is asked once how much matches them now.
    #[derive(Serialize)]
    struct RequirerView<'a> {
        selector: &'a Selector,
        matching: usize,
        by: Vec<RequirerOf<'a>>,
    }
    #[derive(Serialize)]
    struct RequirerOf<'a> {
        artifact: &'a Name,
        environment: &'a Name,
        #[serde(skip_serializing_if = "str::is_empty")]
        instance: &'a str,
        require: &'a Name,
        #[serde(skip_serializing_if = "Option::is_none")]
        deployment: Option<DeploymentId>,
    }
    let any = crate::model::Predicate { interface: Some(row.name.clone()), selector: Selector::default() };
    let everything = catalog.excluding([]);
    let handles = catalog.resolve(&any, &everything, ATTEMPTS).handles;
    let components: Vec<_> = handles.into_iter().map(|handle| catalog.component(handle)).collect();
    let groups = catalog.requirers(row.name.as_str());
    let requirers = groups.iter().map(|group| RequirerView {
        selector: &group.predicate.selector,
        matching: catalog.resolve(group.predicate, &everything, usize::MAX).handles.len(),
        by: group
            .requirers
            .iter()
            .map(|(requirements, require)| RequirerOf {
                artifact: &requirements.slot.artifact,
                environment: &requirements.slot.environment,
                instance: &requirements.slot.instance,
                require,
                deployment: requirements.deployment,
            })
            .collect(),
    });
    let view = View {
        interface: row.into(),
        providers: components.iter().map(MatchView::from).collect(),
        requirers: requirers.collect(),
    };
    text(&view)
}

#[derive(Serialize)]
struct SystemView<'a> {
    name: &'a Name,
}

impl<'a> From<&'a SystemRow> for SystemView<'a> {
    fn from(row: &'a SystemRow) -> Self {
        Self { name: &row.name }
    }
}

#[derive(Serialize)]
struct ArtifactView<'a> {
    name: &'a Name,
    system: &'a Name,
}

impl<'a> From<&'a ArtifactRow> for ArtifactView<'a> {
    fn from(row: &'a ArtifactRow) -> Self {
        Self { name: &row.name, system: &row.system }
    }
}

#[derive(Serialize)]
struct InterfaceView<'a> {
    name: &'a Name,
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<&'a Name>,
}

impl<'a> From<&'a InterfaceRow> for InterfaceView<'a> {
    fn from(row: &'a InterfaceRow) -> Self {
        Self { name: &row.name, system: row.system.as_ref() }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EnvironmentView<'a> {
    name: &'a Name,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_deployment: Option<FirstDeployment>,
}

impl<'a> From<&'a EnvironmentRow> for EnvironmentView<'a> {
    fn from(row: &'a EnvironmentRow) -> Self {
        Self { name: &row.name, first_deployment: row.first_deployment }
    }
}

/// A Server as it was declared, and its Component.
#[derive(Serialize)]
struct ServerView<'a> {
    name: &'a str,
    component: ComponentId,
    environment: &'a str,
    interface: &'a str,
    layer: Layer,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    labels: crate::model::Labels,
    attributes: &'a crate::model::Attributes,
    since: Timestamp,
}

impl<'a> From<&Component<'a>> for ServerView<'a> {
    fn from(server: &Component<'a>) -> Self {
        Self {
            name: server.name(),
            component: server.id(),
            environment: server.environment(),
            interface: server.interface(),
            layer: server.layer(),
            version: server.version().map(AsRef::as_ref),
            labels: server.labels(),
            attributes: server.attributes(),
            since: server.since(),
        }
    }
}
