//! What is answered where no handler is: addresses that do not exist, methods that an address does not have; and HEAD.

use actix_web::dev::{Service, ServiceRequest};
use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse};

use super::body::Incoming;
use super::problem::Refusal;
use super::routes::routes_of;
use crate::model::Code;

/// The answer to an address that does not exist.
pub(super) async fn no_such_address(request: HttpRequest, incoming: Incoming) -> HttpResponse {
    incoming.drain().await;
    let detail = format!("there is nothing at {}; the main route is POST /deployments/start", request.path());
    Refusal::new(Code::NotFound, detail).respond(&request)
}

/// The answer to a method that an address does not have.
pub(super) async fn method_not_allowed(request: HttpRequest, incoming: Incoming) -> HttpResponse {
    incoming.drain().await;
    let allowed = routes_of(&request).iter().map(|route| route.method.as_str()).collect::<Vec<_>>().join(", ");
    let detail = format!("{} is not allowed at {}; it takes {allowed}", request.method(), request.path());
    let mut response = Refusal::new(Code::MethodNotAllowed, detail).respond(&request);
    let allowed = header::HeaderValue::from_str(&allowed).expect("the names of methods are ASCII");
    response.headers_mut().insert(header::ALLOW, allowed);
    response
}

/// Answers HEAD as GET (RFC 9110 §9.3.2); the framework leaves the body of such an answer out.
pub(super) fn head_as_get<S: Service<ServiceRequest>>(mut request: ServiceRequest, service: &S) -> S::Future {
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
    service.call(request)
}
