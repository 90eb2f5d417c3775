//! `GET /components`, `/components/{id}`

use actix_web::{HttpRequest, HttpResponse, web};

use super::State;
use super::answer::{Answer, ok_large, page, respond, views};
use super::problem::Refusal;
use super::query::{Query, id};
use crate::app::ComponentDetail;
use crate::catalog::ComponentFilter;
use crate::model::{Code, ComponentState};
use crate::wire::{AttemptView, ComponentDetailView, ComponentView, CouplingView, Rest, parse_filter};

const PARAMETERS: [&str; 10] =
    ["system", "environment", "interface", "artifact", "server", "state", "selector", "limit", "cursor", "consistency"];

pub(super) async fn list(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    respond(&request, list_answer(&request, &state).await)
}

async fn list_answer(request: &HttpRequest, state: &State) -> Answer {
    let mut query = Query::of(request)?;
    let states = [ComponentState::Active, ComponentState::Inactive, ComponentState::Planned];
    let selector = query.take("selector").filter(|selector| !selector.trim().is_empty());
    let selector = selector.map(|text| parse_filter(&text)).transpose();
    let filter = ComponentFilter {
        system: query.take("system"),
        environment: query.take("environment"),
        interface: query.take("interface"),
        artifact: query.take("artifact"),
        server: query.take("server"),
        state: query.take_choice("state", &states.map(|state| (state.as_str(), state)))?,
        selector: selector
            .map_err(|error| Refusal::new(Code::InvalidQuery, format!("selector: {error}")))?
            .unwrap_or_default(),
    };
    let limit = query.take_limit()?;
    let after = query.take_parsed("cursor", "the `next` of the answer before")?;
    query.finish_reading(&PARAMETERS, &state.app).await?;
    page(request, state.app.components(filter, limit, after).await?, ComponentView::from).await
}

pub(super) async fn get(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    respond(&request, get_answer(&request, &state).await)
}

async fn get_answer(request: &HttpRequest, state: &State) -> Answer {
    Query::of(request)?.finish_reading(&["consistency"], &state.app).await?;
    ok_large(request, state.app.component(id(request)?).await?, detail).await
}

fn detail(ComponentDetail { component, consumers, attempts }: ComponentDetail) -> ComponentDetailView {
    ComponentDetailView {
        component: component.into(),
        rest: Rest { consumer_count: consumers.count, ..Rest::default() }.with_flag(attempts.more),
        consumers: views(consumers.items, CouplingView::from),
        attempts: views(attempts.newest, AttemptView::from),
    }
}
