//! `GET /systems`, `/artifacts`, `/interfaces`, `/environments`, `/servers`, each with `/{name}`

use actix_web::{HttpRequest, HttpResponse, web};

use super::State;
use super::answer::{Answer, ok_large, page, respond, views};
use super::query::{Query, segment};
use crate::app::{NamedDetail, NamedKind, Requirers};
use crate::wire::{
    ArtifactView, AttemptView, ComponentView, CouplingView, EnvironmentView, InterfaceView, NamedDetailView,
    RequirerView, RequirersView, ServerView, SystemView,
};

pub(super) async fn list(request: HttpRequest, state: web::Data<State>, kind: NamedKind) -> HttpResponse {
    respond(&request, list_answer(&request, &state, kind).await)
}

async fn list_answer(request: &HttpRequest, state: &State, kind: NamedKind) -> Answer {
    let mut query = Query::of(request)?;
    let limit = query.take_limit()?;
    let after = query.take("cursor");
    query.finish_reading(&["limit", "cursor", "consistency"], &state.app).await?;
    let app = &state.app;
    match kind {
        NamedKind::System => page(request, app.systems(limit, after).await?, SystemView::from).await,
        NamedKind::Artifact => page(request, app.artifacts(limit, after).await?, ArtifactView::from).await,
        NamedKind::Interface => page(request, app.interfaces(limit, after).await?, InterfaceView::from).await,
        NamedKind::Environment => page(request, app.environments(limit, after).await?, EnvironmentView::from).await,
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
        NamedDetail::System { system, artifacts, interfaces } => {
            NamedDetailView::System { system: system.into(), artifacts, interfaces }
        }
        NamedDetail::Artifact { artifact, environments, attempts } => NamedDetailView::Artifact {
            artifact: artifact.into(),
            environments,
            attempts: views(attempts, AttemptView::from),
        },
        NamedDetail::Interface { interface, providers, requirers } => NamedDetailView::Interface {
            interface: interface.into(),
            providers: views(providers, ComponentView::from),
            requirers: views(requirers, |Requirers { selector, matching, by }| RequirersView {
                selector,
                matching,
                by: views(by, RequirerView::from),
            }),
        },
        NamedDetail::Environment(environment) => NamedDetailView::Environment(environment.into()),
        NamedDetail::Server { server, consumers } => {
            NamedDetailView::Server { server: server.into(), consumers: views(consumers, CouplingView::from) }
        }
    }
}
