//! Dispatch, wiring, exit codes.

use std::net::TcpListener;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use clap::Parser;
use mortise::app::{App, Pace, check_clock, record_settings, system_clock};
use mortise::cli::{self, Exit};
use mortise::config::{Changes, Command, Config, Export, Import, Secret, Serve, SettingsCommand, StoreFlags, Version};
use mortise::document::JsonText;
use mortise::http::{self, HttpLimits};
use mortise::model::Settings;
use mortise::store::Store;
use mortise::store::embedded::EmbeddedStore;
use mortise::store::neo4j::{Address, Neo4jStore};
use mortise::store::transfer::Existing;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let config = Config::parse();
    tracing_subscriber::fmt().with_env_filter(log_filter(&config.log)).with_writer(std::io::stderr).init();
    match run(&config.command) {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(error) => {
            eprintln!("mortise: {}", cli::escaped(&format!("{error:#}")));
            ExitCode::from(Exit::Failed.code())
        }
    }
}

/// What is logged. The server library logs every request that it cannot read as an error; that is a client's, and is told from
/// debug on only.
fn log_filter(written: &str) -> EnvFilter {
    let filter = EnvFilter::try_new(written).unwrap_or_else(|_| "info".into());
    let tells_all = filter.max_level_hint().is_none_or(|level| level >= LevelFilter::DEBUG);
    if tells_all || written.contains("actix_http") {
        return filter;
    }
    filter.add_directive("actix_http=off".parse().expect("this is a directive"))
}

fn run(command: &Command) -> anyhow::Result<Exit> {
    match command {
        Command::Serve(command) => serve(command),
        Command::Start(command) => Ok(cli::start(command)?),
        Command::Plan(command) => Ok(cli::plan(command)?),
        Command::Finish(command) => Ok(cli::finish(command)?),
        Command::Check(command) => Ok(cli::check(command)?),
        Command::Query(command) => Ok(cli::query(command)?),
        Command::Version(Version::Compare { left, right }) => Ok(cli::compare(left, right)),
        Command::Version(Version::Matches { range, version }) => Ok(cli::matches(range, version)),
        Command::Settings(SettingsCommand::Show { store }) => {
            ensure_exists(store)?;
            change_settings(store, |_| None)
        }
        Command::Settings(SettingsCommand::Set { store, settings }) => {
            let wish = settings.wish();
            change_settings(store, |recorded| Some(wish.over(recorded.unwrap_or(&Settings::default()))))
        }
        Command::Changes(command) => changes(command),
        Command::Export(command) => export(command),
        Command::Import(command) => import(command),
    }
}

/// The store that the flags name: the one place where a backend is chosen.
fn open(flags: &StoreFlags) -> anyhow::Result<Arc<dyn Store>> {
    let Some(uri) = &flags.store else { return Ok(Arc::new(EmbeddedStore::open(&flags.data)?)) };
    let from_file = flags.store_password_file.as_ref().map(|path| {
        let read = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()));
        read.map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
    });
    let from_file = from_file.transpose()?;
    let password = flags.store_password.as_ref().map(Secret::reveal).or(from_file.as_deref());
    let address = Address::parse(uri.reveal(), password)?;
    let timeout = Duration::from_secs(flags.store_timeout_seconds);
    Ok(Arc::new(Neo4jStore::open(address, timeout)?))
}

/// Where the store is, in words that may be shown.
fn place(flags: &StoreFlags) -> String {
    let address = flags.store.as_ref().and_then(|uri| Address::parse(uri.reveal(), None).ok());
    address.map_or_else(|| format!("data in {}", flags.data.display()), |address| format!("data in {address}"))
}

/// Refuses to make a store where there is none.
fn ensure_exists(flags: &StoreFlags) -> anyhow::Result<()> {
    let folder = || EmbeddedStore::exists(&flags.data).with_context(|| flags.data.display().to_string());
    anyhow::ensure!(flags.store.is_some() || folder()?, "there is no store in {}", flags.data.display());
    Ok(())
}

fn serve(command: &Serve) -> anyhow::Result<Exit> {
    check_clock(SystemTime::now())?;
    let listener =
        TcpListener::bind(&command.listen).with_context(|| format!("cannot listen on {}", command.listen))?;
    let folder = &command.store.data;
    if command.store.store.is_none() && matches!(EmbeddedStore::exists(folder), Ok(false)) {
        tracing::info!("there is no store in {}; making one, with an empty history", folder.display());
    }
    let address = listener.local_addr()?;
    let follow = Duration::from_millis(command.follow_milliseconds);
    let pace = Pace { follow, batch: command.max_batch, ..Pace::default() };
    let app = Arc::new(App::open(open(&command.store)?, &command.settings.wish(), system_clock(), pace)?);
    let limits = HttpLimits {
        body_bytes: command.max_body_bytes,
        set_bytes: command.max_set_bytes,
        connections: command.max_connections,
        head_time: Duration::from_secs(command.head_timeout_seconds),
        write_time: Duration::from_secs(command.write_timeout_seconds),
        held_bytes: command.max_held_bytes,
        query_rows: command.query_max_rows,
        query_row_bytes: command.query_max_row_bytes,
        query_bytes: command.query_max_bytes,
        query_time: Duration::from_secs(command.query_timeout_seconds),
        ..HttpLimits::default()
    };
    actix_web::rt::System::new().block_on(async {
        let server = http::serve(app.clone(), listener, limits, command.allowed_hosts.clone())?;
        let handle = server.handle();
        // Received from before the server says that it is ready.
        let stopped = stop_signal()?;
        actix_web::rt::spawn(async move {
            stopped.await;
            tracing::info!("stopping; requests that were accepted are finished first");
            handle.stop(true).await;
        });
        println!("mortise listens on http://{address}, {}", place(&command.store));
        server.await
    })?;
    app.close();
    Ok(Exit::Yes)
}

/// Receives signals from now on; ends with the first SIGTERM or SIGINT.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Records what `choose` makes of the settings, and prints them as they are then.
fn change_settings(flags: &StoreFlags, choose: impl Fn(Option<&Settings>) -> Option<Settings>) -> anyhow::Result<Exit> {
    check_clock(SystemTime::now())?;
    let store = open(flags)?;
    let mut catalog = store.load()?;
    record_settings(store.as_ref(), &mut catalog, &system_clock(), choose)?;
    store.close(&catalog);
    let text = JsonText::of(&catalog.settings().cloned().unwrap_or_default())?;
    print!("{}", mortise::document::to_yaml(&text.to_json()));
    Ok(Exit::Yes)
}

fn changes(command: &Changes) -> anyhow::Result<Exit> {
    ensure_exists(&command.store)?;
    Ok(cli::changes(open(&command.store)?.as_ref(), command)?)
}

fn export(command: &Export) -> anyhow::Result<Exit> {
    ensure_exists(&command.store)?;
    let existing = if command.force { Existing::Replace } else { Existing::Keep };
    let file = &command.output_file;
    cli::export(open(&command.store)?.as_ref(), file, existing)
        .with_context(|| format!("cannot export to {}", named(file, "standard output")))
}

fn import(command: &Import) -> anyhow::Result<Exit> {
    let cannot = || format!("cannot import {}", named(&command.file, "standard input"));
    // Before the store is opened, and so perhaps made.
    let file = cli::ImportFile::open(&command.file).with_context(cannot)?;
    let store = open(&command.store)?;
    let exit = cli::import(store.as_ref(), file).with_context(cannot)?;
    store.close(&store.load()?);
    Ok(exit)
}

/// A file by its name, or what `-` stands for.
fn named(path: &Path, standard: &str) -> String {
    if path.as_os_str() == "-" { standard.to_owned() } else { path.display().to_string() }
}
