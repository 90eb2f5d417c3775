//! The yardstick: the same request, read into types and written again, on the same framework.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};

use actix_web::{App, HttpResponse, HttpServer, web};
use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize)]
struct Expression {
    key: String,
    values: Vec<String>,
}

#[derive(Deserialize, Serialize)]
struct Require {
    interface: String,
    selector: Vec<Expression>,
}

#[derive(Deserialize, Serialize)]
struct Provide {
    interface: String,
    layer: String,
    labels: BTreeMap<String, String>,
    attributes: BTreeMap<String, String>,
}

#[derive(Deserialize, Serialize)]
struct Specification {
    system: String,
    name: String,
    provides: Vec<Provide>,
    requires: BTreeMap<String, Require>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Start {
    artifact_spec: Specification,
    input: BTreeMap<String, String>,
}

/// Runs the echo on a thread of its own for as long as the process lives.
pub fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port can be had");
    let address = listener.local_addr().expect("a bound socket has an address");
    let echo = |start: web::Json<Start>| async { HttpResponse::Created().json(start.into_inner()) };
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server = HttpServer::new(move || App::new().route("/deployments/start", web::post().to(echo)));
            server.workers(2).disable_signals().listen(listener).expect("the socket is bound").run().await
        })
    });
    address
}
