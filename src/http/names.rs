//! `GET /systems`, `/artifacts`, `/interfaces`, `/environments`, `/servers`, each with `/{name}`

use actix_web::{HttpRequest, HttpResponse, web};

use super::State;
use super::answer::{Answer, ok_large, page, respond, views};
use super::query::{Query, segment};
use crate::app::{NamedDetail, NamedKind, Requirers};
use crate::wire::{
    ArtifactView, AttemptView, ComponentView, CouplingView, EnvironmentView, InterfaceView, NamedDetailView,
    RequirerView, RequirersView, Rest, ServerView, SystemView,
};

pub(super) async fn list(request: HttpRequest, state: web::Data<State>, kind: NamedKind) -> HttpResponse {
    respond(&request, list_answer(&request, &state, kind).await)
}

async fn list_answer(request: &HttpRequest, state: &State, kind: NamedKind) -> Answer {
    let mut query = Query::of(request)?;
    let limit = query.take_limit()?;
    let after = query.take("cursor");
    let owner = match kind {
        NamedKind::Artifact | NamedKind::Interface => Some("system"),
        NamedKind::Environment => Some("artifact"),
        NamedKind::System | NamedKind::Server => None,
    };
    let within = owner.and_then(|owner| query.take(owner));
    let known: Vec<_> = ["limit", "cursor", "consistency"].into_iter().chain(owner).collect();
    query.finish_reading(&known, &state.app).await?;
    let app = &state.app;
    match kind {
        NamedKind::System => page(request, app.systems(limit, after).await?, SystemView::from).await,
        NamedKind::Artifact => page(request, app.artifacts(limit, after, within).await?, ArtifactView::from).await,
        NamedKind::Interface => page(request, app.interfaces(limit, after, within).await?, InterfaceView::from).await,
        NamedKind::Environment => {
            page(request, app.environments(limit, after, within).await?, EnvironmentView::from).await
        }
        NamedKind::Server => page(request, app.servers(limit, after).await?, ServerView::from).await,
    }
}

pub(super) async fn get(request: HttpRequest, state: web::Data<State>, kind: NamedKind) -> HttpResponse {
    respond(&request, get_answer(&request, &state, kind).await)
}

async fn get_answer(request: &HttpRequest, state: &State, kind: NamedKind) -> Answer {
    Query::of(request)?.finish_reading(&["consistency"], &state.app).await?;
    let name = segment(request, "name")?;
    ok_large(request, state.app.named_one(kind, &name).await?, detail).await
}

/// The view of one thing, with what belongs to it.
pub(super) fn detail(named: NamedDetail) -> NamedDetailView {
    match named {
        NamedDetail::System { system, artifacts, interfaces } => NamedDetailView::System {
            system: system.into(),
            rest: Rest { artifact_count: artifacts.count, interface_count: interfaces.count, ..Rest::default() }
                .with_flag(false),
            artifacts: artifacts.items,
            interfaces: interfaces.items,
        },
        NamedDetail::Artifact { artifact, environments, attempts } => NamedDetailView::Artifact {
            artifact: artifact.into(),
            rest: Rest { environment_count: environments.count, ..Rest::default() }.with_flag(attempts.more),
            environments: environments.items,
            attempts: views(attempts.newest, AttemptView::from),
        },
        NamedDetail::Interface { interface, providers, requirers } => NamedDetailView::Interface {
            interface: interface.into(),
            rest: Rest { provider_count: providers.count, requirer_count: requirers.count, ..Rest::default() }
                .with_flag(false),
            providers: views(providers.items, ComponentView::from),
            requirers: views(requirers.items, |Requirers { selector, matching, by }| RequirersView {
                selector,
                matching,
                by: views(by, RequirerView::from),
            }),
        },
        NamedDetail::Environment(environment) => NamedDetailView::Environment(environment.into()),
        NamedDetail::Server { server, consumers } => NamedDetailView::Server {
            server: server.into(),
            rest: Rest { consumer_count: consumers.count, ..Rest::default() }.with_flag(false),
            consumers: views(consumers.items, CouplingView::from),
        },
    }
}
