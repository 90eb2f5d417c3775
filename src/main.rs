//! Dispatch, wiring, exit codes.

use std::net::TcpListener;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Parser;
use mortise::app::{App, record_settings, system_clock};
use mortise::cli::{self, Exit};
use mortise::config::{Command, Config, Serve, SettingsCommand, Version};
use mortise::document::JsonText;
use mortise::http::{self, HttpLimits};
use mortise::model::Settings;
use mortise::store::Store;
use mortise::store::embedded::EmbeddedStore;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let config = Config::parse();
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log).unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run(&config.command) {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(error) => {
            eprintln!("mortise: {error:#}");
            ExitCode::from(Exit::Failed.code())
        }
    }
}

fn run(command: &Command) -> anyhow::Result<Exit> {
    match command {
        Command::Serve(command) => serve(command),
        Command::Start(command) => Ok(cli::start(command)?),
        Command::Plan(command) => Ok(cli::plan(command)?),
        Command::Finish(command) => Ok(cli::finish(command)?),
        Command::Check(command) => Ok(cli::check(command)?),
        Command::Version(Version::Compare { left, right }) => Ok(cli::compare(left, right)),
        Command::Version(Version::Matches { range, version }) => Ok(cli::matches(range, version)),
        Command::Settings(SettingsCommand::Show { data }) => show_settings(data),
        Command::Settings(SettingsCommand::Set { data, settings }) => {
            let store = EmbeddedStore::open(data)?;
            let mut catalog = store.load()?;
            let wished = settings.wish().over(&catalog.settings().cloned().unwrap_or_default());
            if catalog.settings() != Some(&wished) {
                record_settings(&store, &mut catalog, wished, &system_clock())?;
            }
            store.close(&catalog);
            print_settings(&catalog.settings().cloned().unwrap_or_default())
        }
    }
}

fn serve(command: &Serve) -> anyhow::Result<Exit> {
    let listener =
        TcpListener::bind(&command.listen).with_context(|| format!("cannot listen on {}", command.listen))?;
    let address = listener.local_addr()?;
    let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(&command.data)?);
    let app = Arc::new(App::open(store, &command.settings.wish(), system_clock())?);
    let limits =
        HttpLimits { body_bytes: command.max_body_bytes, set_bytes: command.max_set_bytes, ..HttpLimits::default() };
    actix_web::rt::System::new().block_on(async {
        let server = http::serve(app.clone(), listener, limits)?;
        let handle = server.handle();
        // Received from before the server says that it is ready.
        let stopped = stop_signal()?;
        actix_web::rt::spawn(async move {
            stopped.await;
            tracing::info!("stopping; requests that were accepted are finished first");
            handle.stop(true).await;
        });
        println!("mortise listens on http://{address}, data in {}", command.data.display());
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

fn show_settings(data: &Path) -> anyhow::Result<Exit> {
    anyhow::ensure!(EmbeddedStore::exists(data), "there is no store in {}", data.display());
    let store = EmbeddedStore::open(data)?;
    let catalog = store.load()?;
    store.close(&catalog);
    print_settings(&catalog.settings().cloned().unwrap_or_default())
}

fn print_settings(settings: &Settings) -> anyhow::Result<Exit> {
    let text = JsonText::of(settings)?;
    print!("{}", mortise::document::to_yaml(&text.to_json()));
    Ok(Exit::Yes)
}
