//! The command line: flags and the environment, read once, and handed on as values.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::app::SettingsWish;
use crate::document::Json;
use crate::model::{Dialect, FirstDeployment};

/// A CMDB that plans deployments.
#[derive(Debug, Parser)]
#[command(name = "mortise", version, about, max_term_width = 100)]
pub struct Config {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// What to log to standard error: error, warn, info, debug, trace, or a filter of tracing.
    #[arg(long, env = "MORTISE_LOG", default_value = "info", global = true)]
    pub log: String,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server.
    Serve(Serve),
    /// Start a deployment: plan it, record it, open its attempt.
    Start(Start),
    /// Plan a deployment without recording anything (a dry run).
    Plan(Plan),
    /// Report how a deployment ended.
    Finish(Finish),
    /// Check a specification without a server.
    Check(Check),
    /// Ask the graph in Cypher; only statements that read are allowed.
    Query(Query),
    /// Compare versions, and try ranges, as the planner does.
    #[command(subcommand)]
    Version(Version),
    /// Show or change the settings kept in a store: a folder that no server has open, or a database.
    #[command(subcommand)]
    Settings(SettingsCommand),
    /// Show the changes that the history of a store consists of: one in full, or a line for each.
    Changes(Changes),
    /// Write the history of a store into a file, from which it can be imported into any other.
    Export(Export),
    /// Read an export into a store that is empty, or that holds the beginning of the same history. Run again, it goes on
    /// where it stopped.
    Import(Import),
}

/// Run the server.
#[derive(Debug, Args)]
pub struct Serve {
    /// The address to listen on; port 0 takes a free one.
    #[arg(long, env = "MORTISE_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: String,
    /// A name besides localhost under which the server may be asked where it listens on loopback, as `cmdb.example.org`
    /// behind a proxy. Can be given several times; in the environment with commas between.
    #[arg(long = "allowed-host", env = "MORTISE_ALLOWED_HOST", value_name = "NAME", value_delimiter = ',')]
    pub allowed_hosts: Vec<String>,
    /// Where the store is.
    #[command(flatten)]
    pub store: StoreFlags,
    /// How often to look for what other servers recorded in the same database, in milliseconds.
    #[arg(long, env = "MORTISE_FOLLOW_MILLISECONDS", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    pub follow_milliseconds: u64,
    /// The most requests that are recorded in one durable commit.
    #[arg(long, env = "MORTISE_MAX_BATCH", default_value_t = 512, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=10_000))]
    pub max_batch: usize,
    /// The most bytes of a body with one specification.
    #[arg(long, env = "MORTISE_MAX_BODY_BYTES", default_value_t = 1 << 20)]
    pub max_body_bytes: usize,
    /// The most bytes of a body with a set.
    #[arg(long, env = "MORTISE_MAX_SET_BYTES", default_value_t = 16 << 20)]
    pub max_set_bytes: usize,
    /// The most connections at once; fewer where the limit of open files is low.
    #[arg(long, env = "MORTISE_MAX_CONNECTIONS", default_value_t = 10_000, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1_000_000))]
    pub max_connections: usize,
    /// How long the head of a request may take to arrive, in seconds; a connection that is idle for so long is closed.
    #[arg(long, env = "MORTISE_HEAD_TIMEOUT_SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub head_timeout_seconds: u64,
    /// How long a client may take nothing of its answer before the connection is cut, in seconds.
    #[arg(long, env = "MORTISE_WRITE_TIMEOUT_SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub write_timeout_seconds: u64,
    /// The most bytes of large answers that are held at once for clients that have not taken them yet.
    #[arg(long, env = "MORTISE_MAX_HELD_BYTES", default_value_t = 256 << 20)]
    pub max_held_bytes: usize,
    /// The most rows of an answer of the graph.
    #[arg(long, env = "MORTISE_QUERY_MAX_ROWS", default_value_t = 10_000)]
    pub query_max_rows: usize,
    /// The most bytes of a row of an answer of the graph.
    #[arg(long, env = "MORTISE_QUERY_MAX_ROW_BYTES", default_value_t = 1 << 20)]
    pub query_max_row_bytes: usize,
    /// The most bytes of all rows of an answer of the graph.
    #[arg(long, env = "MORTISE_QUERY_MAX_BYTES", default_value_t = 64 << 20)]
    pub query_max_bytes: usize,
    /// How long a question of the graph may take, in seconds.
    #[arg(long, env = "MORTISE_QUERY_TIMEOUT_SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub query_timeout_seconds: u64,
    /// Settings that change answers.
    #[command(flatten)]
    pub settings: SettingsFlags,
}

/// Where the store is: a folder of its own, or a database that several processes may share.
#[derive(Debug, Args)]
pub struct StoreFlags {
    /// The folder of the embedded store; made where there is none.
    #[arg(long, env = "MORTISE_DATA", default_value = "./mortise-data")]
    pub data: PathBuf,
    /// A Neo4j database instead of the folder: bolt://user:password@host:7687/database.
    #[arg(long, env = "MORTISE_STORE", value_name = "URI", conflicts_with = "data", hide_env_values = true)]
    pub store: Option<Secret>,
    /// The password of the database, where it is not in the URI. Better given in the environment than here.
    #[arg(long, env = "MORTISE_STORE_PASSWORD", value_name = "PASSWORD", hide_env_values = true)]
    pub store_password: Option<Secret>,
    /// A file that holds the password of the database.
    #[arg(long, env = "MORTISE_STORE_PASSWORD_FILE", value_name = "FILE", conflicts_with = "store_password")]
    pub store_password_file: Option<PathBuf>,
    /// How long the database may take for one piece of work, retries included, in seconds.
    #[arg(long, env = "MORTISE_STORE_TIMEOUT_SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub store_timeout_seconds: u64,
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

/// Settings that change answers. They are kept in the store: a setting that is not given is as recorded.
#[derive(Debug, Default, Args)]
pub struct SettingsFlags {
    /// How a bare `+` and `?` are read as quantifiers.
    #[arg(long, env = "MORTISE_QUANTIFIER_DIALECT")]
    pub quantifier_dialect: Option<DialectFlag>,
    /// The policy for the first deployment to an environment that has none of its own.
    #[arg(long, env = "MORTISE_FIRST_DEPLOYMENT")]
    pub first_deployment: Option<FirstDeploymentFlag>,
    /// The most requires of one specification.
    #[arg(long, env = "MORTISE_MAX_REQUIRES")]
    pub max_requires: Option<u32>,
    /// The most matches of one require.
    #[arg(long, env = "MORTISE_MAX_MATCHES", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub max_matches: Option<u32>,
    /// The most bytes that a plan shows beyond what was posted, above all the attributes of its matches.
    #[arg(long, env = "MORTISE_MAX_PLAN_BYTES", value_parser = clap::value_parser!(u32).range(1024..=1 << 30))]
    pub max_plan_bytes: Option<u32>,
    /// The most comparisons of labels that resolving a plan may take; some ten million take a second.
    #[arg(long, env = "MORTISE_MAX_COMPARISONS", value_parser = clap::value_parser!(u32).range(10_000..))]
    pub max_comparisons: Option<u32>,
    /// The deepest nesting of a posted document.
    #[arg(long, env = "MORTISE_MAX_DEPTH", value_parser = clap::value_parser!(u32).range(8..=64))]
    pub max_depth: Option<u32>,
    /// Whether a finish must carry the token of the lease.
    #[arg(long, env = "MORTISE_FINISH_NEEDS_TOKEN")]
    pub finish_needs_token: Option<bool>,
}

/// The spellings of a dialect.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[allow(missing_docs, reason = "each is the dialect of that name")]
pub enum DialectFlag {
    Document,
    Regex,
}

/// The spellings of a first-deployment policy.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[allow(missing_docs, reason = "each is the policy of that name")]
pub enum FirstDeploymentFlag {
    Allow,
    Warn,
    Refuse,
}

impl SettingsFlags {
    /// The settings that are given.
    pub fn wish(&self) -> SettingsWish {
        SettingsWish {
            quantifier_dialect: self.quantifier_dialect.map(|dialect| match dialect {
                DialectFlag::Document => Dialect::Document,
                DialectFlag::Regex => Dialect::Regex,
            }),
            first_deployment: self.first_deployment.map(|policy| match policy {
                FirstDeploymentFlag::Allow => FirstDeployment::Allow,
                FirstDeploymentFlag::Warn => FirstDeployment::Warn,
                FirstDeploymentFlag::Refuse => FirstDeployment::Refuse,
            }),
            max_requires: self.max_requires,
            max_matches: self.max_matches,
            max_plan_bytes: self.max_plan_bytes,
            max_comparisons: self.max_comparisons,
            max_depth: self.max_depth,
            finish_needs_token: self.finish_needs_token,
        }
    }
}

/// Where the server is, and how to show its answers.
#[derive(Debug, Args)]
pub struct Client {
    /// The address of the server.
    #[arg(long, env = "MORTISE_SERVER", default_value = "http://127.0.0.1:8080")]
    pub server: String,
    /// How to show the answer.
    #[arg(long, short, env = "MORTISE_OUTPUT", value_enum, default_value_t = Output::Text)]
    pub output: Output,
    /// Who asks: the name that is recorded.
    #[arg(long, env = "MORTISE_ACTOR")]
    pub actor: Option<String>,
}

/// How to show an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Text,
    /// As it was answered or recorded.
    Json,
    /// The same, as YAML.
    Yaml,
}

/// A specification and its inputs.
#[derive(Debug, Args)]
pub struct Specification {
    /// The file, JSON or YAML; `-` is standard input.
    #[arg(long, short, env = "MORTISE_FILE")]
    pub file: PathBuf,
    /// An input of its templates: NAME=VALUE; NAME may be dotted. Can be given several times; the environment variable holds
    /// one input.
    #[arg(long = "input", short, env = "MORTISE_INPUT", value_name = "NAME=VALUE", value_parser = pair)]
    pub inputs: Vec<(String, String)>,
}

/// Start a deployment.
#[derive(Debug, Args)]
#[allow(missing_docs, reason = "the flags say it themselves")]
pub struct Start {
    #[command(flatten)]
    pub specification: Specification,
    /// The idempotency key: one for each CI attempt, so that a repeat starts nothing twice.
    #[arg(long, env = "MORTISE_IDEMPOTENCY_KEY")]
    pub idempotency_key: Option<String>,
    #[command(flatten)]
    pub client: Client,
}

/// Plan a deployment.
#[derive(Debug, Args)]
#[allow(missing_docs, reason = "the flags say it themselves")]
pub struct Plan {
    #[command(flatten)]
    pub specification: Specification,
    #[command(flatten)]
    pub client: Client,
}

/// Report how a deployment ended.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("outcome").required(true))]
#[allow(missing_docs, reason = "the flags say it themselves")]
pub struct Finish {
    /// The id of the plan, or of one member of a set.
    pub id: String,
    /// It succeeded.
    #[arg(long, group = "outcome", env = "MORTISE_SUCCESS")]
    pub success: bool,
    /// It failed.
    #[arg(long, group = "outcome", env = "MORTISE_FAILURE")]
    pub failure: bool,
    /// Why.
    #[arg(long, env = "MORTISE_REASON")]
    pub reason: Option<String>,
    /// The token of the lease, as start answered it.
    #[arg(long, env = "MORTISE_LEASE_TOKEN")]
    pub token: Option<String>,
    /// The plan as it was given, with corrected attributes; `-` is standard input.
    #[arg(long, short, env = "MORTISE_PLAN_FILE", conflicts_with = "reason")]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub client: Client,
}

/// Check a specification.
#[derive(Debug, Args)]
#[allow(missing_docs, reason = "the flags say it themselves")]
pub struct Check {
    #[command(flatten)]
    pub specification: Specification,
    /// How to show what was found.
    #[arg(long, short, env = "MORTISE_OUTPUT", value_enum, default_value_t = Output::Text)]
    pub output: Output,
    #[command(flatten)]
    pub settings: SettingsFlags,
}

/// Ask the graph.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("asked").required(true))]
#[allow(missing_docs, reason = "the flags say it themselves")]
pub struct Query {
    /// The statement, in Cypher.
    #[arg(group = "asked")]
    pub statement: Option<String>,
    /// A file that holds the statement; `-` is standard input.
    #[arg(long, short, group = "asked", env = "MORTISE_QUERY_FILE")]
    pub file: Option<PathBuf>,
    /// A parameter of the statement: NAME=TEXT, or NAME:=JSON for a number, a list and so on. Can be given several
    /// times.
    #[arg(long = "param", short, env = "MORTISE_PARAM", value_name = "NAME=TEXT", value_parser = parameter)]
    pub parameters: Vec<ParameterFlag>,
    #[command(flatten)]
    pub client: Client,
}

/// A parameter of a statement, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterFlag {
    /// `NAME=TEXT`: `version=1.10` stays a text.
    Text(String, String),
    /// `NAME:=JSON`
    Json(String, Json),
}

/// Compare versions, and try ranges.
#[derive(Debug, Subcommand)]
#[allow(missing_docs, reason = "the arguments say it themselves")]
pub enum Version {
    /// Print how two versions stand in order: `<`, `=` or `>`.
    #[command(allow_hyphen_values = true)]
    Compare { left: String, right: String },
    /// Exit with 0 if the version lies in the range, with 1 if not.
    #[command(allow_hyphen_values = true)]
    Matches { range: String, version: String },
}

/// Show or change settings.
#[derive(Debug, Subcommand)]
#[allow(missing_docs, reason = "the flags say it themselves")]
pub enum SettingsCommand {
    /// Show the settings kept in a store.
    Show {
        #[command(flatten)]
        store: StoreFlags,
    },
    /// Change settings; those that are not given stay. Servers that run on the same database take the change over.
    Set {
        #[command(flatten)]
        store: StoreFlags,
        #[command(flatten)]
        settings: SettingsFlags,
    },
}

/// Show the changes of a history.
#[derive(Debug, Args)]
pub struct Changes {
    /// The store whose history it is.
    #[command(flatten)]
    pub store: StoreFlags,
    /// Show this change in full, as JSON: with indentation on a terminal, else in one line.
    #[arg(long, env = "MORTISE_REVISION", conflicts_with_all = ["since", "limit"])]
    pub revision: Option<u64>,
    /// List only what follows this revision.
    #[arg(long, env = "MORTISE_SINCE", value_name = "REVISION", default_value_t = 0)]
    pub since: u64,
    /// List so many changes at most.
    #[arg(long, env = "MORTISE_LIMIT", value_name = "COUNT")]
    pub limit: Option<u64>,
    /// How to show them: a list as text has revision, time, cause and actor.
    #[arg(long, short, env = "MORTISE_OUTPUT", value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// Write the history of a store into a file.
#[derive(Debug, Args)]
pub struct Export {
    /// The store to export.
    #[command(flatten)]
    pub store: StoreFlags,
    /// The file; `-` is standard output. The file appears under its name only when it is complete.
    #[arg(long, short, env = "MORTISE_OUTPUT_FILE", value_name = "FILE")]
    pub output_file: PathBuf,
    /// Replace the file where it is there already.
    #[arg(long, env = "MORTISE_FORCE")]
    pub force: bool,
}

/// Read an export into a store.
#[derive(Debug, Args)]
pub struct Import {
    /// The file; `-` is standard input. A file is verified before anything is recorded, standard input as it is recorded.
    pub file: PathBuf,
    /// The store to import into; made where there is none.
    #[command(flatten)]
    pub store: StoreFlags,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("`{text}` is no NAME=VALUE"))?;
    if name.is_empty() { Err(format!("`{text}` has no name")) } else { Ok((name.to_owned(), value.to_owned())) }
}

fn parameter(text: &str) -> Result<ParameterFlag, String> {
    let (name, value) = pair(text)?;
    match name.strip_suffix(':') {
        None => Ok(ParameterFlag::Text(name, value)),
        Some("") => Err(format!("`{text}` has no name")),
        Some(name) => {
            let json = Json::parse(&value).map_err(|error| format!("`{value}` is no JSON: {error}"))?;
            Ok(ParameterFlag::Json(name.to_owned(), json))
        }
    }
}
