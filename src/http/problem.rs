//! Problems (RFC 9457): the one envelope of every refusal.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use uuid::Uuid;

use super::answer::views;
use super::format::Format;
use super::plans;
use crate::app::{AppError, Proposal};
use crate::lifecycle::{self, OwnedElsewhere};
use crate::model::{Action, Code, Condition, DeploymentId, DeploymentSpec, PlanId, State};
use crate::reading::{Problem, Problems};
use crate::store::Unanswerable;
use crate::wire::{CouplingView, Deployable, PlanView};

/// A refusal on its way to the client.
#[derive(Debug)]
pub(super) struct Refusal {
    code: Code,
    detail: String,
    retry_after_seconds: Option<u32>,
    facts: Box<Facts>,
}

/// What a problem says besides the standard members.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Facts {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<Problem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<PlanView>,
    /// The plan of which it is not known whether it was recorded, or how it ended.
    #[serde(rename = "id", skip_serializing_if = "Option::is_none")]
    plan_id: Option<PlanId>,
    /// The plan recorded under a reused key.
    #[serde(skip_serializing_if = "Option::is_none")]
    recorded: Option<PlanId>,
    /// The attempt that stands in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    deployment: Option<DeploymentId>,
    /// Who opened it; absent where nobody said.
    #[serde(skip_serializing_if = "Option::is_none")]
    holder: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    /// The state that it is in, and what can be done to it now.
    #[serde(skip_serializing_if = "Option::is_none")]
    current_state: Option<State>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<Condition>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allowed: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nearest: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    couplings: Vec<CouplingView>,
    /// What of a statement is refused, and where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    clause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
}

#[derive(Serialize)]
struct Envelope<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    code: Code,
    detail: &'a str,
    instance: String,
    #[serde(flatten)]
    facts: &'a Facts,
}

/// How many seconds a client should wait before it asks a server again that has too much to do.
const BUSY_RETRY_SECONDS: u32 = 5;
/// How many damages are remembered as told in the log.
const TOLD: usize = 1_000;
/// The most seconds that a client should wait before it asks for a held slot again.
const PENDING_RETRY_SECONDS: u32 = 30;

impl Refusal {
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), retry_after_seconds: None, facts: Box::default() }
    }

    /// What may go well in a moment.
    pub fn retried(code: Code, detail: impl Into<String>) -> Self {
        Self { retry_after_seconds: Some(1), ..Self::new(code, detail) }
    }

    /// Problems of the document that `code` names.
    pub fn of_problems(code: Code, problems: Problems) -> Self {
        let problems = problems.into_vec();
        let detail = match problems.as_slice() {
            [] => String::new(),
            [only] => format!("{}{}", at(only), only.message),
            [first, ..] => format!("{} problems; the first: {}{}", problems.len(), at(first), first.message),
        };
        Self { facts: Box::new(Facts { problems, ..Facts::default() }), ..Self::new(code, detail) }
    }

    /// A verdict that is not `yes`, with the whole plan.
    pub fn not_deployable(proposal: &Proposal) -> Self {
        let plan = match plans::view(proposal) {
            Ok(plan) => plan,
            Err(error) => return plans::unreadable(error),
        };
        let code = if plan.deployable == Deployable::Unknown { Code::Undecided } else { Code::NotDeployable };
        let detail = plan.explanation.as_ref().map_or_else(String::new, ToString::to_string);
        Self { facts: Box::new(Facts { plan: Some(plan), ..Facts::default() }), ..Self::new(code, detail) }
    }

    fn of_attempt(code: Code, detail: String, attempt: &DeploymentSpec) -> Self {
        let facts = Facts {
            deployment: Some(attempt.id),
            holder: attempt.actor.clone(),
            outcome: attempt.outcome.map(|outcome| outcome.as_str()),
            current_state: Some(attempt.current_state),
            condition: Some(attempt.condition()),
            allowed: lifecycle::allowed(attempt).map(Action::as_str).collect(),
            ..Facts::default()
        };
        Self { facts: Box::new(facts), ..Self::new(code, detail) }
    }

    /// The last line of an answer that had begun.
    pub fn as_line(&self) -> serde_json::Value {
        if status(self.code).is_server_error() {
            tracing::error!(code = %self.code, detail = self.detail, "broke off an answer");
        }
        serde_json::json!({"error": {"code": self.code, "detail": self.detail}})
    }

    /// The answer, in the format that the client asked for.
    pub fn respond(&self, request: &HttpRequest) -> HttpResponse {
        self.respond_in(Format::accepted(request))
    }

    /// The answer in a format.
    pub fn respond_in(&self, format: Format) -> HttpResponse {
        let status = status(self.code);
        let instance = format!("/requests/{}", Uuid::now_v7());
        if matches!(self.code, Code::Unavailable | Code::Overloaded | Code::OutcomeUnknown) {
            // Of a store that is away the log is told once, not by everybody who asks meanwhile.
            tracing::debug!(instance, code = %self.code, detail = self.detail, "refused a request");
        } else if status.is_server_error() && (self.code != Code::Damaged || is_new(&self.detail)) {
            tracing::error!(instance, code = %self.code, detail = self.detail, "refused a request");
        }
        let envelope = Envelope {
            r#type: format!("/problems/{}", self.code),
            title: self.code.title(),
            status: status.as_u16(),
            code: self.code,
            detail: &self.detail,
            instance,
            facts: &self.facts,
        };
        let mut response = format.respond_problem(status, &envelope);
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from(seconds));
        }
        response
    }
}

/// Whether this damage was not told in the log before, as far as that is remembered.
fn is_new(damage: &str) -> bool {
    static KNOWN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.len() < TOLD && known.insert(damage.to_owned())
}

fn at(problem: &Problem) -> String {
    match (problem.pointer.as_str(), problem.line, problem.column) {
        ("", Some(line), Some(column)) => format!("line {line}, column {column}: "),
        ("", ..) => String::new(),
        (pointer, ..) => format!("{pointer}: "),
    }
}

/// The status of each code that an answer can have.
fn status(code: Code) -> StatusCode {
    match code {
        Code::Malformed | Code::InvalidQuery | Code::NotYetSupported | Code::QueryRefused | Code::InvalidGraphQuery => {
            StatusCode::BAD_REQUEST
        }
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
        Code::DeploymentPending
        | Code::IdempotencyKeyReused
        | Code::ArtifactOwnedElsewhere
        | Code::AlreadyFinished
        | Code::LeaseLost
        | Code::ServerInUse => StatusCode::CONFLICT,
        Code::Gone => StatusCode::GONE,
        Code::CrossSiteRequest => StatusCode::FORBIDDEN,
        Code::UnknownHost => StatusCode::MISDIRECTED_REQUEST,
        Code::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::InvalidSpecification
        | Code::NotDeployable
        | Code::PlanTooLarge
        | Code::Undecided
        | Code::InvalidServer
        | Code::InvalidEnvironment
        | Code::InvalidFinish => StatusCode::UNPROCESSABLE_ENTITY,
        Code::Unavailable | Code::Overloaded | Code::OutcomeUnknown => StatusCode::SERVICE_UNAVAILABLE,
        Code::Damaged => StatusCode::INTERNAL_SERVER_ERROR,
        // The other codes are only ever elements of `problems`, `unmet` or `warnings`.
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl From<AppError> for Refusal {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Malformed(detail) => Self::new(Code::Malformed, detail),
            AppError::Invalid(code, problems) => Self::of_problems(code, problems),
            AppError::NotDeployable(proposal) => Self::not_deployable(&proposal),
            AppError::Pending(open) => {
                let by = open.actor.as_ref().map_or_else(String::new, |actor| format!(" by {actor}"));
                let detail = format!(
                    "attempt {} on {} was opened{by} at {} and is not finished; finish {} first",
                    open.number, open.slot, open.created_at, open.id
                );
                Self {
                    retry_after_seconds: Some(PENDING_RETRY_SECONDS),
                    ..Self::of_attempt(Code::DeploymentPending, detail, &open)
                }
            }
            AppError::KeyReused { plan, difference } => {
                let detail = format!("the plan {plan} was recorded under this key for another request: {difference}");
                let facts = Facts { recorded: Some(plan), ..Facts::default() };
                Self { facts: Box::new(facts), ..Self::new(Code::IdempotencyKeyReused, detail) }
            }
            AppError::OwnedElsewhere(OwnedElsewhere { artifact, system }) => {
                Self::new(Code::ArtifactOwnedElsewhere, format!("{artifact} belongs to the System {system}"))
            }
            AppError::NotFound { what, nearest } => {
                let hint = nearest.as_ref().map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                let facts = Facts { nearest, ..Facts::default() };
                Self { facts: Box::new(facts), ..Self::new(Code::NotFound, format!("{what} is not known{hint}")) }
            }
            AppError::AlreadyFinished(attempt) => {
                let outcome = attempt.outcome.map_or("ended", |outcome| outcome.as_str());
                let at = attempt.finished_at.map_or_else(String::new, |time| format!(" at {time}"));
                let detail = format!("attempt {} on {} {outcome}{at}", attempt.number, attempt.slot);
                Self::of_attempt(Code::AlreadyFinished, detail, &attempt)
            }
            AppError::LeaseLost { reason, holder } => match holder {
                Some(open) => Self::of_attempt(Code::LeaseLost, reason.to_owned(), &open),
                None => Self::new(Code::LeaseLost, reason),
            },
            AppError::ServerInUse(couplings) => {
                let detail = format!("{} couplings point at it; they would be torn", couplings.len());
                let facts = Facts { couplings: views(couplings, CouplingView::from), ..Facts::default() };
                Self { facts: Box::new(facts), ..Self::new(Code::ServerInUse, detail) }
            }
            AppError::QueryRefused(Unanswerable { clause, line, column, message }) => {
                let facts = Facts { clause: Some(clause), line: Some(line), column: Some(column), ..Facts::default() };
                Self { facts: Box::new(facts), ..Self::new(Code::QueryRefused, message) }
            }
            AppError::InvalidGraphQuery(detail) => Self::new(Code::InvalidGraphQuery, detail),
            AppError::Unavailable(detail) => Self::retried(Code::Unavailable, detail),
            AppError::Overloaded(detail) => {
                Self { retry_after_seconds: Some(BUSY_RETRY_SECONDS), ..Self::new(Code::Overloaded, detail) }
            }
            AppError::Damaged { recorded: None, error } => Self::new(Code::Damaged, error),
            AppError::Damaged { recorded, error } => {
                let facts = Facts { plan_id: recorded, ..Facts::default() };
                let detail = format!("it is recorded, but the plan cannot be shown: {error}");
                Self { facts: Box::new(facts), ..Self::new(Code::Damaged, detail) }
            }
            AppError::OutcomeUnknown { plan, error } => {
                let about = plan
                    .map_or_else(String::new, |plan| format!("; look at /deployments/{plan} once it answers again"));
                let detail = format!(
                    "the store failed while it was recorded, so that it may be recorded or not{about}: {error}"
                );
                let facts = Facts { plan_id: plan, ..Facts::default() };
                Self { facts: Box::new(facts), retry_after_seconds: Some(1), ..Self::new(Code::OutcomeUnknown, detail) }
            }
            AppError::Internal(detail) => Self::new(Code::Internal, detail),
        }
    }
}
