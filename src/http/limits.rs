//! `GET /limits`

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::answer::{Answer, ok, respond};
use super::query::Query;
use super::{HttpLimits, State};
use crate::app::PoolLimits;
use crate::model::Settings;
use crate::model::limits::{FIXED, Limit, Unit};

/// A limit as it is shown.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LimitView {
    name: &'static str,
    value: u64,
    unit: Unit,
    bounds: &'static str,
    /// How it is changed; absent where nobody can.
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<String>,
}

#[derive(Serialize)]
struct LimitsView {
    limits: Vec<LimitView>,
}

pub(super) async fn limits(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    respond(&request, answer(&request, &state).await)
}

async fn answer(request: &HttpRequest, state: &State) -> Answer {
    Query::of(request)?.finish_reading(&["consistency"], &state.app).await?;
    let settings = state.app.catalog().settings().cloned().unwrap_or_default();
    let of_settings = of_settings(&settings).into_iter().map(|(name, value, unit, bounds)| LimitView {
        change: Some(format!("mortise settings set --{name}")),
        ..view(name, u64::from(value), unit, bounds)
    });
    let flags = of_flags(&state.limits).into_iter().map(|(name, value, unit, bounds)| LimitView {
        change: Some(format!("mortise serve --{name}")),
        ..view(name, value, unit, bounds)
    });
    let pool = of_pool(&PoolLimits::default()).into_iter();
    let pool = pool.map(|(name, value, unit, bounds)| view(name, value, unit, bounds));
    let fixed = FIXED.iter().map(|&Limit { name, value, unit, bounds }| view(name, value as u64, unit, bounds));
    Ok(ok(request, &LimitsView { limits: of_settings.chain(flags).chain(pool).chain(fixed).collect() }))
}

fn view(name: &'static str, value: u64, unit: Unit, bounds: &'static str) -> LimitView {
    LimitView { name, value, unit, bounds, change: None }
}

fn of_settings(settings: &Settings) -> [(&'static str, u32, Unit, &'static str); 5] {
    let Settings { max_requires, max_matches, max_plan_bytes, max_comparisons, max_depth, .. } = *settings;
    [
        ("max-depth", max_depth, Unit::Count, "Arrays and objects of a document that stand inside each other."),
        ("max-requires", max_requires, Unit::Count, "Requires and `deploymentSpec` entries of a specification."),
        ("max-matches", max_matches, Unit::Count, "Matches of a require."),
        (
            "max-plan-bytes",
            max_plan_bytes,
            Unit::Bytes,
            "What a plan shows beyond what was posted, above all the attributes of its matches.",
        ),
        (
            "max-comparisons",
            max_comparisons,
            Unit::Comparisons,
            "Comparisons of labels that resolving a plan takes, and looking for what is stale.",
        ),
    ]
}

fn of_flags(limits: &HttpLimits) -> Vec<(&'static str, u64, Unit, &'static str)> {
    let count = |value: usize| value as u64;
    vec![
        ("max-body-bytes", count(limits.body_bytes), Unit::Bytes, "A body, unless it is a set or a plan."),
        (
            "max-set-bytes",
            count(limits.set_bytes),
            Unit::Bytes,
            "A body with a set; one with a plan may have twice as much.",
        ),
        ("max-connections", count(limits.connections), Unit::Count, "Connections at once."),
        (
            "head-timeout-seconds",
            limits.head_time.as_secs(),
            Unit::Seconds,
            "How long the head of a request may take to arrive.",
        ),
        (
            "write-timeout-seconds",
            limits.write_time.as_secs(),
            Unit::Seconds,
            "How long a client may take nothing of its answer.",
        ),
        (
            "max-held-bytes",
            count(limits.held_bytes),
            Unit::Bytes,
            "Large answers that wait for their clients, and, apart from them, bodies that wait to be read.",
        ),
        ("query-max-rows", count(limits.query_rows), Unit::Count, "Rows of an answer of the graph."),
        ("query-max-row-bytes", count(limits.query_row_bytes), Unit::Bytes, "A row of an answer of the graph."),
        ("query-max-bytes", count(limits.query_bytes), Unit::Bytes, "All rows of an answer of the graph."),
        (
            "query-timeout-seconds",
            limits.query_time.as_secs(),
            Unit::Seconds,
            "How long a question of the graph may take.",
        ),
    ]
}

fn of_pool(pool: &PoolLimits) -> Vec<(&'static str, u64, Unit, &'static str)> {
    let count = |value: usize| value as u64;
    vec![
        ("medium-at-once", count(pool.medium), Unit::Count, "Requests of medium work that are worked on at once."),
        ("large-at-once", count(pool.large), Unit::Count, "Requests of large work that are worked on at once."),
        ("reads-at-once", count(pool.reads), Unit::Count, "Plans that are read from the store at once."),
        (
            "waiting",
            count(pool.waiting),
            Unit::Count,
            "Requests of medium work, and reads of plans, that wait for their turn.",
        ),
        ("large-waiting", count(pool.large_waiting), Unit::Count, "Requests of large work that wait for their turn."),
        (
            "patience-seconds",
            pool.patience.as_secs(),
            Unit::Seconds,
            "How long a request waits for its turn; beyond it is 503 `overloaded`.",
        ),
    ]
}
