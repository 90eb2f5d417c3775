//! The real server: its own process on a free port, with a folder of its own.

#![allow(dead_code, reason = "every test crate uses another part of it")]

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::ops::Deref;
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use ureq::http::{Request, Response, header};
use ureq::{Agent, Body};

/// How long a request may take before a test fails: far more than any does, so that a hang shows as a failure.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A running server, and a client of it. It is killed, by its own process id, when it is dropped.
pub struct Server {
    child: Child,
    /// Kept open: a server whose standard output is closed could not write to it.
    _stdout: BufReader<ChildStdout>,
    client: Client,
    /// Absent where the test owns the folder. Removed only after the process has ended.
    _data: Option<TempDir>,
}

impl Server {
    /// A server with an empty store.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// A server with an empty store and these flags besides.
    pub fn start_with(flags: &[&str]) -> Self {
        let data = tempfile::tempdir().expect("a temporary folder can be made");
        let mut server = Self::start_in(data.path(), flags);
        server._data = Some(data);
        server
    }

    /// A server with its store in `data`.
    pub fn start_in(data: &Path, flags: &[&str]) -> Self {
        Self::run(command(data, flags))
    }

    /// A server with its store in the database at `uri`.
    pub fn start_on(uri: &str, flags: &[&str]) -> Self {
        let mut quiet = vec!["--log", "error,neo4rs=off"];
        quiet.extend(flags);
        Self::run(command_on(uri, &quiet))
    }

    /// A server that this command runs; see [`command`].
    pub fn run(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the binary that was built can be run");
        let mut stdout = BufReader::new(child.stdout.take().expect("standard output is piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("standard output can be read");
        let address = line.strip_prefix("mortise listens on http://").and_then(|rest| rest.split_once(','));
        let Some((address, _)) = address else {
            let status = child.wait();
            panic!("the server did not say that it is ready, but `{}`; it ended with {status:?}", line.trim_end());
        };
        Self { child, client: Client::of(address), _stdout: stdout, _data: None }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it says on standard error, where that is piped.
    pub fn take_stderr(&mut self) -> ChildStderr {
        self.child.stderr.take().expect("standard error is piped")
    }

    /// Sends SIGTERM to its process.
    pub fn terminate(&self) {
        signal(self.child.id(), "-TERM");
    }

    /// Kills its process at once.
    pub fn kill(&mut self) {
        self.child.kill().expect("the process can be killed");
        self.wait();
    }

    /// Waits until its process has ended.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("the process can be waited for")
    }

    /// Stops it in order, and waits until it has ended.
    pub fn stop(mut self) -> ExitStatus {
        self.terminate();
        self.wait()
    }
}

impl Deref for Server {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// A client of a server, whoever runs it.
pub struct Client {
    address: String,
    agent: Agent,
}

impl Client {
    /// A client of the server at `host:port`.
    pub fn of(address: &str) -> Self {
        let agent = Agent::config_builder().http_status_as_error(false).timeout_global(Some(TIMEOUT)).build().into();
        Self { address: address.to_owned(), agent }
    }

    /// `host:port`
    pub fn address(&self) -> &str {
        &self.address
    }

    /// `http://host:port`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A request with any method, headers and body.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Answer {
        self.try_send(method, path, headers, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// The same, where the server may be gone.
    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl AsRef<[u8]>,
    ) -> Result<Answer, ureq::Error> {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.as_ref();
        // Without a body there is no Content-Length either, as browsers and curl have it.
        let response = if body.is_empty() && matches!(method, "GET" | "HEAD" | "DELETE") {
            self.agent.run(request.body(()).expect("the request is well-formed"))
        } else {
            self.agent.run(request.body(body).expect("the request is well-formed"))
        };
        Answer::of(response?)
    }

    /// `GET path`
    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "")
    }

    /// `DELETE path`
    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], "")
    }

    /// `POST path` with JSON.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &[JSON], body.to_string())
    }

    /// `PUT path` with JSON.
    pub fn put(&self, path: &str, body: &Value) -> Answer {
        self.send("PUT", path, &[JSON], body.to_string())
    }

    /// `POST /deployments/start` with JSON.
    pub fn start_deployment(&self, body: &Value) -> Answer {
        self.post("/deployments/start", body)
    }

    /// Starts what is deployable; the plan.
    pub fn started(&self, body: &Value) -> Value {
        self.start_deployment(body).expect(201)
    }

    /// Finishes with success; the plan.
    pub fn succeed(&self, plan: &Value) -> Value {
        self.finish(text(plan, "id"), &serde_json::json!({"success": true})).expect(200)
    }

    /// Finishes with failure; the plan.
    pub fn fail(&self, plan: &Value) -> Value {
        self.finish(text(plan, "id"), &serde_json::json!({"success": false})).expect(200)
    }

    /// `POST /deployments/{id}/finish` with JSON.
    pub fn finish(&self, id: &str, body: &Value) -> Answer {
        self.post(&format!("/deployments/{id}/finish"), body)
    }

    /// Starts and finishes with success; the plan as it is then.
    pub fn deploy(&self, body: &Value) -> Value {
        self.succeed(&self.started(body))
    }

    /// `GET /deployments/{id}`
    pub fn deployment(&self, id: &str) -> Value {
        self.get(&format!("/deployments/{id}")).expect(200)
    }

    /// The items of a list, of one page.
    pub fn items(&self, path: &str) -> Vec<Value> {
        match self.get(path).expect(200)["items"].take() {
            Value::Array(items) => items,
            other => panic!("{path} lists {other}"),
        }
    }

    /// Sends raw bytes, and reads until the server closes the connection; what it answered, without parsing.
    pub fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(bytes).expect("the server takes what is sent");
        read_to_end(stream)
    }

    /// A connection, on which nothing was sent.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).expect("the server can be reached");
        stream.set_read_timeout(Some(TIMEOUT)).expect("a timeout can be set");
        stream
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only where it has ended before, which is as well.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The command that runs a server with its store in `data`; nothing of the environment configures it.
pub fn command(data: &Path, flags: &[&str]) -> Command {
    let mut command = command_logging(data, "error");
    command.args(flags);
    command
}

/// The same, where all from this level on is logged.
pub fn command_logging(data: &Path, level: &str) -> Command {
    let mut command = mortise();
    command.args(["serve", "--listen", "127.0.0.1:0", "--log", level, "--data"]).arg(data);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

/// The command that runs a server with its store in the database at `uri`; the flags say what it logs.
pub fn command_on(uri: &str, flags: &[&str]) -> Command {
    let mut command = mortise();
    command.args(["serve", "--listen", "127.0.0.1:0", "--store", uri]).args(flags);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

/// The binary, which nothing of the environment configures.
pub fn mortise() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mortise"));
    let configured = std::env::vars_os().map(|(name, _)| name);
    for name in configured.filter(|name| name.to_string_lossy().starts_with("MORTISE_")) {
        command.env_remove(name);
    }
    command
}

/// Sends a signal to the process with this id.
pub fn signal(pid: u32, signal: &str) {
    let status = Command::new("kill").args([signal, &pid.to_string()]).status().expect("kill can be run");
    assert!(status.success(), "process {pid} cannot be sent {signal}");
}

/// What is left to read on a connection.
pub fn read_to_end(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("the answer can be read to its end");
    String::from_utf8(answer).expect("the answer is UTF-8")
}

/// The header that says that a body is JSON.
pub const JSON: (&str, &str) = ("Content-Type", "application/json");
/// The header that says that a body is YAML.
pub const YAML: (&str, &str) = ("Content-Type", "application/yaml");

/// An answer, read to its end.
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub headers: header::HeaderMap,
    pub text: String,
}

impl Answer {
    fn of(mut response: Response<Body>) -> Result<Self, ureq::Error> {
        let text = response.body_mut().with_config().limit(u64::MAX).read_to_string()?;
        let headers = response.headers().clone();
        let content_type =
            headers.get(header::CONTENT_TYPE).map_or("", |value| value.to_str().expect("it is ASCII")).to_owned();
        Ok(Self { status: response.status().as_u16(), content_type, headers, text })
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A header, as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("it is ASCII"))
    }

    /// The body as JSON, where the status is this one.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        self.json()
    }

    /// The problem, where it has this status and code and keeps the form of RFC 9457.
    #[track_caller]
    pub fn expect_problem(&self, status: u16, code: &str) -> Value {
        let problem = self.expect(status);
        assert_eq!(self.content_type, "application/problem+json", "{self:?}");
        assert_eq!(problem["code"], code, "{self:?}");
        assert_eq!(problem["type"], format!("/problems/{code}"), "{self:?}");
        assert_eq!(problem["status"], status, "{self:?}");
        assert!(!text(&problem, "title").is_empty(), "{self:?}");
        assert!(!text(&problem, "detail").is_empty(), "{self:?}");
        assert!(text(&problem, "instance").starts_with("/requests/"), "{self:?}");
        problem
    }

    /// The code and pointer of each problem of an invalid document, which is 422 with `code`.
    #[track_caller]
    pub fn expect_invalid(&self, code: &str) -> Vec<(String, String)> {
        let problem = self.expect_problem(422, code);
        let problems = problem["problems"].as_array().unwrap_or_else(|| panic!("{self:?}"));
        let code_and_pointer =
            |problem: &Value| (text(problem, "code").to_owned(), text(problem, "pointer").to_owned());
        problems.iter().map(code_and_pointer).collect()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: String = self.text.chars().take(4_000).collect();
        write!(f, "{} {} {shown}", self.status, self.content_type)
    }
}

/// A text member of an object.
#[track_caller]
pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("`{name}` is no text in {value}"))
}

/// The keys of an object.
#[track_caller]
pub fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap_or_else(|| panic!("{value} is no object")).keys().map(String::as_str).collect()
}
