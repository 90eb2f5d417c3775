//! Faults of ours on the threads that a process cannot do without: they end it, so that whoever supervises it starts it again.
//!
//! A process that is to end is one of its own: this same program, told by its environment to serve and to panic.

use std::io::Read;
use std::net::TcpListener;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mortise::app::{App, Pace, SettingsWish, system_clock};
use mortise::http::{self, HttpLimits};
use mortise::store::embedded::EmbeddedStore;

use crate::faults::{Fault, Faulty};
use crate::harness::tests;
use crate::server::Server;
use crate::specs::spec;

tests![
    a_panic_of_the_clock_ends_the_process,
    a_panic_in_a_commit_ends_the_process,
    a_panic_of_the_follower_ends_the_process,
];

/// What panics in this process, where it is one that is to end.
const PANICS: &str = "STORE_TEST_PANICS";
/// Where its folder is.
const FOLDER: &str = "STORE_TEST_FOLDER";

fn a_panic_of_the_clock_ends_the_process() {
    assert_ends("clock");
}

fn a_panic_in_a_commit_ends_the_process() {
    assert_ends("commit");
}

fn a_panic_of_the_follower_ends_the_process() {
    assert_ends("follower");
}

/// Serves until it is asked to start something, which makes this panic.
fn assert_ends(panics: &str) {
    let data = tempfile::tempdir().unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env(PANICS, panics).env(FOLDER, data.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut server = Server::run(command);
    let mut told = server.take_stderr();
    // Nobody answers it, unless with that.
    let answer = server.try_send("POST", "/deployments/start", &[crate::server::JSON], spec("any").to_string());
    assert!(answer.as_ref().map_or(true, |answer| answer.status == 503), "{answer:?}");
    assert_eq!(server.wait().code(), Some(2));
    let mut text = String::new();
    told.read_to_string(&mut text).unwrap();
    assert!(text.contains("something that cannot happen"), "{text}");
    assert!(text.contains("ending the process"), "{text}");
}

/// What this process is to do instead of running tests; `None` where it is to run them.
pub fn serve() -> Option<ExitCode> {
    let (panics, folder) = (std::env::var(PANICS).ok()?, std::env::var_os(FOLDER)?);
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let store = Arc::new(Faulty::of(EmbeddedStore::open(folder.as_ref()).unwrap(), panics == "follower"));
    let panics_at_the_clock = Arc::new(AtomicBool::new(false));
    let is_broken = panics_at_the_clock.clone();
    let clock = system_clock();
    let clock = Arc::new(move || {
        assert!(!is_broken.load(Ordering::Relaxed), "something that cannot happen");
        clock()
    });
    let app = App::open(store.clone(), &SettingsWish::default(), clock, Pace::default()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("mortise listens on http://{}, in a test", listener.local_addr().unwrap());
    match panics.as_str() {
        "clock" => panics_at_the_clock.store(true, Ordering::Relaxed),
        _ => store.set(Fault::Panic),
    }
    let serving = actix_web::rt::System::new()
        .block_on(async { http::serve(Arc::new(app), listener, HttpLimits::default(), Vec::new()).unwrap().await });
    serving.unwrap();
    Some(ExitCode::SUCCESS)
}
