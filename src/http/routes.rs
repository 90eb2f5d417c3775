//! The whole route table. What is served, what is answered 404 or 405, and how large a body may be, is read from it.

use actix_web::dev::HttpServiceFactory;
use actix_web::http::Method;
use actix_web::{HttpRequest, web};
use percent_encoding::percent_decode_str;

use super::{
    HttpLimits, components, deployments, fallback, finish, graph, limits, meta, names, origin, servers, start,
};
use crate::app::NamedKind::{Artifact, Environment, Interface, Server, System};

/// A method of an address.
#[derive(Debug)]
pub struct Route {
    /// The method. HEAD is answered as GET, and stands nowhere.
    pub method: Method,
    /// The address; `{name}` stands for one segment.
    pub path: &'static str,
    /// Whether what is recorded may change.
    pub effect: Effect,
    /// How much of a body is read.
    pub body: BodyLimit,
    /// What it does, in one sentence for people.
    pub description: &'static str,
    // A function, because handlers are of many types, and every worker makes its own.
    handler: fn() -> actix_web::Route,
}

/// What a route does to what is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It only tells.
    Reads,
    /// It records.
    Writes,
}

/// How much of a body a route reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLimit {
    /// Nothing: a body is ignored.
    None,
    /// One document: a declaration, a question.
    Document,
    /// A set of specifications. One that comes alone is held to the limit of a document.
    Set,
    /// A plan as it was answered, which holds more than the set that was posted.
    Plan,
}

impl BodyLimit {
    /// The most bytes of a body.
    #[must_use]
    pub fn bytes(self, limits: &HttpLimits) -> usize {
        match self {
            Self::None => 0,
            Self::Document => limits.body_bytes,
            Self::Set => limits.set_bytes,
            Self::Plan => limits.set_bytes.saturating_mul(2),
        }
    }

    /// The flag that sets it.
    pub(super) fn flag(self) -> &'static str {
        match self {
            Self::None | Self::Document => "--max-body-bytes",
            Self::Set | Self::Plan => "--max-set-bytes",
        }
    }
}

/// Every route. The routes of one address stand together. An address that another one's `{…}` would take as well stands before
/// it.
pub static ROUTES: &[Route] = &[
    Route {
        method: Method::POST,
        path: "/deployments/start",
        effect: Effect::Writes,
        body: BodyLimit::Set,
        description: "Plans the deployment of an artifact or of a set, and starts it where all that it requires is there.",
        handler: || web::to(start::start),
    },
    get("/deployments", || web::to(deployments::list), "Lists deployments, the newest first."),
    get("/deployments/{id}", || web::to(deployments::get), "Shows a plan and what has become of it."),
    get(
        "/deployments/{id}/specification",
        || web::to(deployments::specification),
        "Shows what was posted to start a deployment.",
    ),
    Route {
        method: Method::POST,
        path: "/deployments/{id}/finish",
        effect: Effect::Writes,
        body: BodyLimit::Plan,
        description: "Records how a deployment ended.",
        handler: || web::to(finish::finish),
    },
    get("/components", || web::to(components::list), "Lists the Components that run, ran or are planned."),
    get("/components/{id}", || web::to(components::get), "Shows a Component and everything that is coupled to it."),
    get("/servers", || web::to(|r, s| names::list(r, s, Server)), "Lists the Servers that are known."),
    get("/servers/{name}", || web::to(|r, s| names::get(r, s, Server)), "Shows a Server."),
    Route {
        method: Method::PUT,
        path: "/servers/{name}",
        effect: Effect::Writes,
        body: BodyLimit::Document,
        description: "Declares a Server, or declares it anew.",
        handler: || web::to(servers::put),
    },
    Route {
        method: Method::DELETE,
        path: "/servers/{name}",
        effect: Effect::Writes,
        body: BodyLimit::None,
        description: "Withdraws a Server, and tells what that breaks.",
        handler: || web::to(servers::delete),
    },
    get("/systems", || web::to(|r, s| names::list(r, s, System)), "Lists the Systems that are known."),
    get("/systems/{name}", || web::to(|r, s| names::get(r, s, System)), "Shows a System."),
    get("/artifacts", || web::to(|r, s| names::list(r, s, Artifact)), "Lists the artifacts that are known."),
    get("/artifacts/{name}", || web::to(|r, s| names::get(r, s, Artifact)), "Shows an artifact."),
    get("/interfaces", || web::to(|r, s| names::list(r, s, Interface)), "Lists the Interfaces that are known."),
    get("/interfaces/{name}", || web::to(|r, s| names::get(r, s, Interface)), "Shows an Interface."),
    get("/environments", || web::to(|r, s| names::list(r, s, Environment)), "Lists the Environments that are known."),
    get("/environments/{name}", || web::to(|r, s| names::get(r, s, Environment)), "Shows an Environment."),
    Route {
        method: Method::PUT,
        path: "/environments/{name}",
        effect: Effect::Writes,
        body: BodyLimit::Document,
        description: "Sets the policy of an Environment, and makes the Environment where it is new.",
        handler: || web::to(servers::put_environment),
    },
    Route {
        method: Method::POST,
        path: "/graph/query",
        effect: Effect::Reads,
        body: BodyLimit::Document,
        description: "Answers a question about the graph, in Cypher, with one JSON object a line.",
        handler: || web::to(graph::query),
    },
    get("/healthz", || web::to(meta::healthz), "Says that the process runs."),
    get("/readyz", || web::to(meta::readyz), "Says whether anything can be recorded."),
    get("/limits", || web::to(limits::limits), "Lists what a request may cost, and how each limit is changed."),
    get("/problems/{code}", || web::to(meta::problem), "Explains the code of a problem."),
    get("/schema/artifact-spec", || web::to(meta::schema), "Gives the JSON Schema of the artifact specification."),
];

/// A route that is read without a body.
const fn get(path: &'static str, handler: fn() -> actix_web::Route, description: &'static str) -> Route {
    Route { method: Method::GET, path, effect: Effect::Reads, body: BodyLimit::None, description, handler }
}

/// Serves the table. An address that stands there answers another method with 405, any other address is 404.
pub(super) fn configure(config: &mut web::ServiceConfig) {
    for routes in ROUTES.chunk_by(|one, next| one.path == next.path) {
        config.service(resource(routes));
    }
    config.default_service(web::to(fallback::no_such_address));
}

/// The routes of an address, as its requests find them.
#[derive(Clone, Copy)]
struct Address(&'static [Route]);

fn resource(routes: &'static [Route]) -> impl HttpServiceFactory {
    let mut resource = web::resource(routes[0].path).app_data(Address(routes));
    for route in routes {
        resource = resource.route((route.handler)().method(route.method.clone()));
    }
    let resource = resource.default_service(web::to(fallback::method_not_allowed));
    resource.wrap_fn(|request, service| origin::from_the_same_site(routes, request, service))
}

/// The route that a request will take, told from its method and its path as they were sent.
pub(super) fn route_at(method: &Method, path: &str) -> Option<&'static Route> {
    let path = percent_decode_str(path).decode_utf8().ok()?;
    let leads_to = |route: &&Route| {
        let (known, sent) = (route.path.split('/'), path.split('/'));
        known.clone().count() == sent.clone().count()
            && known.zip(sent).all(|(known, sent)| known.starts_with('{') || known == sent)
    };
    ROUTES.iter().find(|route| route.method == *method && leads_to(route))
}

/// The routes of the address that a request came to; none where there is no such address.
pub(super) fn routes_of(request: &HttpRequest) -> &'static [Route] {
    request.app_data::<Address>().map_or(&[], |address| address.0)
}

/// The route that a request takes, if there is one.
pub(super) fn route_of(request: &HttpRequest) -> Option<&'static Route> {
    routes_of(request).iter().find(|route| route.method == *request.method())
}
