//! From a listener to the handlers: connections are admitted, watched, and ended in time.

use std::future::ready;
use std::net::TcpListener;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_http::{HttpService, KeepAlive, Request, Response};
use actix_server::Server;
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{AppConfig, Service, ServiceRequest, ServiceResponse};
use actix_web::rt::net::TcpStream;
use actix_web::web::{self, Bytes};
use actix_web::{App as Actix, Error};

use super::admission::Admission;
use super::connection::{Activity, Answering, Connection, Patience};
use super::format::Format;
use super::held::{Held, SMALL_BYTES};
use super::{State, body, fallback, origin, routes};

/// How long a stop waits for what was accepted. With what the store still needs it is over within five seconds.
const STOP_SECONDS: u64 = 4;
/// How much longer the first head may take until the connection is cut: the client is answered 408 before.
const GRACE: Duration = Duration::from_secs(1);
/// How long a connection is kept after its last answer, for the client to read it.
const LINGER: Duration = Duration::from_secs(1);

/// A server on `listener`.
pub(super) fn serve(mut state: State, listener: TcpListener) -> std::io::Result<Server> {
    let admission = Arc::new(Admission::new(state.limits.connections));
    // As many as there may be here.
    state.limits.connections = admission.most();
    let limits = state.limits;
    let patience = Patience { head: limits.head_time + GRACE, write: limits.write_time };
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let builder = Server::build()
        .workers(workers)
        .max_concurrent_connections(admission.at_once())
        .shutdown_timeout(STOP_SECONDS)
        .disable_signals();
    let stopping = builder.graceful_shutdown_signal();
    // Made once, outside of the closure that runs for every worker.
    let state = web::Data::new(state);
    let worker = move || {
        let (admission, stopping) = (admission.clone(), stopping.clone());
        let app = Actix::new()
            .app_data(state.clone())
            .wrap_fn(fallback::head_as_get)
            .wrap_fn(origin::under_a_known_host)
            .wrap_fn(answered)
            .configure(routes::configure);
        let app = app.into_factory().map_err(|error: Error| error.error_response());
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            // The connection itself ends where it is idle.
            .keep_alive(KeepAlive::Os)
            .client_request_timeout(limits.head_time)
            .client_disconnect_timeout(LINGER)
            .expect(fn_service(move |request: Request| {
                let checked = body::check_announced(request.head(), &limits);
                let format = Format::of(request.head().headers());
                ready(checked.map(|()| request).map_err(|refusal| Response::from(refusal.respond_in(format))))
            }))
            .on_connect_ext(|connection: &Connection, data| drop(data.insert(connection.activity())))
            .h1(map_config(app, |()| AppConfig::default()));
        let admitted = fn_service(move |stream: TcpStream| {
            let admission = admission.clone();
            async move {
                let Some(place) = admission.place() else {
                    admission.turn_away(stream).await;
                    return Err(());
                };
                let client = stream.peer_addr().ok();
                Ok((Connection::new(stream, patience, place), client))
            }
        });
        admitted.and_then(http.map_err(drop))
    };
    Ok(builder.listen("mortise", listener, worker)?.run())
}

/// Tells the connection from when until when it is being answered, and counts what is held for it.
fn answered<S>(
    request: ServiceRequest,
    service: &S,
) -> impl Future<Output = Result<ServiceResponse<Answered>, Error>> + use<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error>,
{
    let answering = request.conn_data::<Rc<Activity>>().map(Activity::answering);
    let room = State::of(request.request()).held.clone();
    let response = service.call(request);
    async move {
        let mut response = response.await?;
        let counted = response.response_mut().extensions_mut().remove::<Held>();
        let held = counted.or_else(|| match response.response().body().size() {
            BodySize::Sized(bytes) if bytes > SMALL_BYTES as u64 => Some(room.count(usize::try_from(bytes).ok()?)),
            _ => None,
        });
        Ok(response.map_body(|_, body| Answered { body, _held: held, _answering: answering }))
    }
}

/// The body of an answer, dropped when it was handed over.
struct Answered {
    body: BoxBody,
    _held: Option<Held>,
    _answering: Option<Answering>,
}

impl MessageBody for Answered {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_next(context)
    }
}
