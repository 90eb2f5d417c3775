//! The whole route table.

use actix_web::http::Method;
use actix_web::{Resource, web};

use super::{components, deployments, fallback, finish, graph, meta, names, servers, start};
use crate::app::NamedKind;

/// Every route. An address that stands here answers another method with 405, any other address with 404.
pub(super) fn configure(config: &mut web::ServiceConfig) {
    config
        .service(at("/deployments/start", &[Method::POST]).route(web::post().to(start::start)))
        .service(at("/deployments", &[Method::GET]).route(web::get().to(deployments::list)))
        .service(at("/deployments/{id}", &[Method::GET]).route(web::get().to(deployments::get)))
        .service(at("/deployments/{id}/specification", &[Method::GET]).route(web::get().to(deployments::specification)))
        .service(at("/deployments/{id}/finish", &[Method::POST]).route(web::post().to(finish::finish)))
        .service(at("/components", &[Method::GET]).route(web::get().to(components::list)))
        .service(at("/components/{id}", &[Method::GET]).route(web::get().to(components::get)))
        .service(at("/servers", &[Method::GET]).route(web::get().to(|r, s| names::list(r, s, NamedKind::Server))))
        .service(
            at("/servers/{name}", &[Method::GET, Method::PUT, Method::DELETE])
                .route(web::get().to(|r, s| names::get(r, s, NamedKind::Server)))
                .route(web::put().to(servers::put))
                .route(web::delete().to(servers::delete)),
        )
        .service(at("/systems", &[Method::GET]).route(web::get().to(|r, s| names::list(r, s, NamedKind::System))))
        .service(at("/systems/{name}", &[Method::GET]).route(web::get().to(|r, s| names::get(r, s, NamedKind::System))))
        .service(at("/artifacts", &[Method::GET]).route(web::get().to(|r, s| names::list(r, s, NamedKind::Artifact))))
        .service(
            at("/artifacts/{name}", &[Method::GET]).route(web::get().to(|r, s| names::get(r, s, NamedKind::Artifact))),
        )
        .service(at("/interfaces", &[Method::GET]).route(web::get().to(|r, s| names::list(r, s, NamedKind::Interface))))
        .service(
            at("/interfaces/{name}", &[Method::GET])
                .route(web::get().to(|r, s| names::get(r, s, NamedKind::Interface))),
        )
        .service(
            at("/environments", &[Method::GET]).route(web::get().to(|r, s| names::list(r, s, NamedKind::Environment))),
        )
        .service(
            at("/environments/{name}", &[Method::GET, Method::PUT])
                .route(web::get().to(|r, s| names::get(r, s, NamedKind::Environment)))
                .route(web::put().to(servers::put_environment)),
        )
        .service(at("/graph/query", &[Method::POST]).route(web::post().to(graph::query)))
        .service(at("/healthz", &[Method::GET]).route(web::get().to(meta::healthz)))
        .service(at("/readyz", &[Method::GET]).route(web::get().to(meta::readyz)))
        .service(at("/problems/{code}", &[Method::GET]).route(web::get().to(meta::problem)))
        .service(at("/schema/artifact-spec", &[Method::GET]).route(web::get().to(meta::schema)))
        .default_service(web::to(fallback::no_such_address));
}

fn at(path: &'static str, methods: &'static [Method]) -> Resource {
    web::resource(path).default_service(web::to(move |request, payload, state| {
        fallback::method_not_allowed(request, payload, state, methods)
    }))
}
