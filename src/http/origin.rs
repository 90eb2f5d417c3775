//! Where a request comes from: pages of other sites must not write, and names that others may point here are not answered.
//!
//! A browser sends what any page tells it to. It names the page's site in `Sec-Fetch-Site` and `Origin`, and in `Host` the name
//! under which it found the server; clients that are no browsers send neither of the first two.

use std::net::{IpAddr, SocketAddr};

use actix_web::Error;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName};

use super::State;
use super::problem::Refusal;
use super::routes::{Effect, Route};
use crate::model::Code;

/// The names under which the server may be asked.
pub(super) struct KnownHosts {
    named: Vec<String>,
    /// On loopback, where nobody else can ask, any other name was pointed here by somebody.
    is_checked: bool,
}

impl KnownHosts {
    /// The names that are known to a server which listens on `address`: those of loopback, and these.
    pub fn new(address: SocketAddr, named: Vec<String>) -> Self {
        Self { is_checked: address.ip().is_loopback() || !named.is_empty(), named }
    }

    fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        // Without the header it is no browser.
        let Some(host) = text(headers, header::HOST).filter(|_| self.is_checked) else { return Ok(()) };
        let name = without_port(&host);
        if is_loopback(name) || self.names(name) {
            return Ok(());
        }
        let detail =
            format!("`{name}` is no name of this server; ask it as localhost, or start it with --allowed-host {name}");
        Err(Refusal::new(Code::UnknownHost, detail))
    }

    fn names(&self, host: &str) -> bool {
        self.named.iter().any(|named| named.eq_ignore_ascii_case(host))
    }

    /// Refuses what a page of another site sent.
    fn check_site(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let refused = |said: String| {
            let detail = format!(
                "{said}; what writes is taken from pages of this server only, and from clients that are no pages"
            );
            Err(Refusal::new(Code::CrossSiteRequest, detail))
        };
        match text(headers, HeaderName::from_static("sec-fetch-site")).as_deref() {
            Some("same-origin" | "none") => return Ok(()),
            Some(site) => return refused(format!("Sec-Fetch-Site is `{site}`")),
            None => {}
        }
        let Some(origin) = text(headers, header::ORIGIN) else { return Ok(()) };
        // A scheme may have been changed by what stands before the server.
        let authority = origin.split_once("://").map_or("", |(_, authority)| authority);
        let is_own = text(headers, header::HOST).is_some_and(|host| host.eq_ignore_ascii_case(authority));
        if is_own || self.names(without_port(authority)) { Ok(()) } else { refused(format!("Origin is `{origin}`")) }
    }
}

/// Answers only requests under a known name.
pub(super) fn under_a_known_host<S>(
    request: ServiceRequest,
    service: &S,
) -> impl Future<Output = Result<ServiceResponse, Error>> + use<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse, Error = Error>,
{
    let checked = State::of(request.request()).hosts.check(request.headers());
    unless_refused(checked, request, service)
}

/// Answers requests to one of these routes that writes only if no page of another site sent them.
pub(super) fn from_the_same_site<S>(
    routes: &[Route],
    request: ServiceRequest,
    service: &S,
) -> impl Future<Output = Result<ServiceResponse, Error>> + use<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse, Error = Error>,
{
    let writes = routes.iter().any(|route| route.method == *request.method() && route.effect == Effect::Writes);
    let checked = if writes { State::of(request.request()).hosts.check_site(request.headers()) } else { Ok(()) };
    unless_refused(checked, request, service)
}

fn unless_refused<S>(
    checked: Result<(), Refusal>,
    request: ServiceRequest,
    service: &S,
) -> impl Future<Output = Result<ServiceResponse, Error>> + use<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse, Error = Error>,
{
    let answer = match checked {
        Ok(()) => Ok(service.call(request)),
        Err(refusal) => {
            let refused = refusal.respond(request.request());
            Err(request.into_response(refused))
        }
    };
    async move {
        match answer {
            Ok(answer) => answer.await,
            Err(refused) => Ok(refused),
        }
    }
}

/// A header as text; one that is no ASCII, or stands twice, is taken as a name that nobody has.
fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let mut values = headers.get_all(name);
    let first = values.next()?;
    let text = first.to_str().ok().filter(|_| values.next().is_none());
    Some(text.unwrap_or("?").trim().to_owned())
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => authority,
    }
}

fn is_loopback(name: &str) -> bool {
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}
