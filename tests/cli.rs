//! The command line: what each command prints, and the code it exits with.

#[path = "support/server.rs"]
mod server;
#[path = "support/specs.rs"]
mod specs;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use clap::CommandFactory;
use mortise::config::Config;
use serde_json::{Value, json};
use server::{Server, mortise, signal, text};
use specs::{consumer, provider, spec, with};
use tempfile::TempDir;

/// What a command printed, and how it ended.
#[derive(Debug)]
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    #[track_caller]
    fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The lines of standard output.
    fn lines(&self) -> Vec<&str> {
        self.out.lines().collect()
    }
}

fn run(arguments: &[&str]) -> Ran {
    run_with(arguments, &[], "")
}

/// Runs with variables of the environment, and with a text on standard input.
fn run_with(arguments: &[&str], variables: &[(&str, &str)], input: &str) -> Ran {
    let mut command = mortise();
    command.args(arguments).envs(variables.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that reads nothing may have ended.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().expect("no signal ended it"), out: text(output.stdout), err: text(output.stderr) }
}

/// Files to give to commands.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, content: &str) -> String {
        let path: PathBuf = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.into_os_string().into_string().unwrap()
    }

    fn json(&self, name: &str, content: &Value) -> String {
        self.write(name, &content.to_string())
    }
}

#[test]
fn serve_prints_one_line_and_ends_with_0_on_either_signal() {
    for sent in ["-TERM", "-INT"] {
        let data = tempfile::tempdir().unwrap();
        let mut child = serve(data.path());
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let address = line.strip_prefix("mortise listens on ").and_then(|rest| rest.split_once(", data in "));
        let (address, folder) = address.unwrap_or_else(|| panic!("{line}"));
        assert!(address.starts_with("http://127.0.0.1:") && !address.ends_with(":0"), "{line}");
        assert_eq!(folder.trim_end(), data.path().display().to_string());
        // A client that keeps its connection open does not keep the server.
        let client = server::Client::of(address.trim_start_matches("http://"));
        client.started(&spec("a"));
        signal(child.id(), sent);
        assert_eq!(child.wait().unwrap().code(), Some(0), "after {sent}");
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "");
        let again = Server::start_in(data.path(), &[]);
        assert_eq!(again.items("/deployments").len(), 1);
    }
}

#[test]
fn serve_that_is_stopped_the_moment_it_is_ready_ends_with_0() {
    for _ in 0..10 {
        assert_eq!(Server::start().stop().code(), Some(0));
    }
}

fn serve(data: &Path) -> Child {
    server::command(data, &[]).spawn().unwrap()
}

#[test]
fn a_second_server_on_a_folder_is_refused_and_told_who_has_it() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_str().unwrap();
    let first = Server::start_in(data.path(), &[]);
    for arguments in [vec!["serve", "--listen", "127.0.0.1:0"], vec!["settings", "show"], vec!["settings", "set"]] {
        let refused = run(&[&arguments[..], &["--data", folder]].concat()).exits(2);
        assert!(
            refused.err.contains(folder) && refused.err.contains(&format!("process {}", first.pid())),
            "{refused:?}"
        );
        assert_eq!(refused.out, "");
    }
    first.started(&spec("a"));
}

#[test]
fn serve_says_what_is_wrong_with_its_address_or_folder() {
    let files = Files::new();
    let file = files.write("file", "no folder");
    let taken = Server::start();
    assert!(run(&["serve", "--listen", taken.address(), "--data", "unused"]).exits(2).err.contains(taken.address()));
    assert!(run(&["serve", "--listen", "nowhere", "--data", "unused"]).exits(2).err.contains("nowhere"));
    assert!(run(&["serve", "--listen", "127.0.0.1:0", "--data", &file]).exits(2).err.contains(&file));
    assert!(!Path::new("unused").exists());
}

#[test]
fn settings_are_kept_and_others_are_refused_with_the_difference() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_str().unwrap();
    assert!(run(&["settings", "show", "--data", &format!("{folder}/none")]).exits(2).err.contains("/none"));
    assert!(Server::start_in(data.path(), &["--quantifier-dialect", "regex"]).stop().success());
    // What is not given is as recorded.
    assert!(Server::start_in(data.path(), &[]).stop().success());
    assert!(Server::start_in(data.path(), &["--quantifier-dialect", "regex"]).stop().success());

    let other = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data",
        folder,
        "--quantifier-dialect",
        "document",
        "--max-matches",
        "7",
    ];
    let refused = run(&other).exits(2);
    for said in ["quantifierDialect", "regex", "document", "maxMatches", "1000", "7", "mortise settings set"] {
        assert!(refused.err.contains(said), "{said} is missing in {refused:?}");
    }
    assert!(!refused.err.contains("maxDepth"), "{refused:?}");

    let shown = run(&["settings", "show", "--data", folder]).exits(0).out;
    assert_eq!(
        shown,
        "quantifierDialect: regex\nfirstDeployment: allow\nmaxRequires: 1000\nmaxMatches: 1000\nmaxPlanBytes: 16777216\nmaxComparisons: 20000000\nmaxDepth: 64\nfinishNeedsToken: false\n"
    );
    let set = run(&["settings", "set", "--data", folder, "--quantifier-dialect", "document", "--max-matches", "7"])
        .exits(0)
        .out;
    assert_eq!(set, shown.replace("regex", "document").replace("maxMatches: 1000", "maxMatches: 7"));
    assert_eq!(run(&["settings", "show", "--data", folder]).exits(0).out, set);
    assert!(Server::start_in(data.path(), &other[5..]).stop().success());
}

#[test]
fn start_shows_the_plan_and_finish_how_it_ended() {
    let server = Server::start();
    server.put(
        "/servers/beaverton",
        &json!({"environment": "test", "labels": {"os_family": "linux"}, "attributes": {"address": "10.0.0.1"}}),
    );
    server.deploy(&provider("org.shop.database", "postgresql"));
    let files = Files::new();
    let api = with(
        consumer("org.shop.api", "postgresql"),
        json!({
            "version": "${input.version}", "instance": "blue",
            "provides": [{"interface": "shop-api", "layer": "server"}],
            "deploymentSpec": {"host": {"os_family": "linux"}},
        }),
    );
    let file = files.json("api.json", &api);
    let url = server.url();
    let started = run(&["start", "-f", &file, "-i", "version=2.0", "--actor", "ci/api", "--server", &url]).exits(0);
    let id = text(&server.items("/deployments?condition=Pending")[0], "id").to_owned();
    assert_eq!(
        started.lines(),
        [
            "deployable: yes",
            "org.shop.api 2.0 in test (instance blue): attempt 1 is open",
            "  provides shop-api 2.0 (server)",
            "  requires needed: postgresql",
            "    org.shop.database 1.0 in test  url=tcp://postgresql",
            "  is deployed with host:",
            "    beaverton in test  address=10.0.0.1",
            &format!("when it is deployed: mortise finish {id} --success"),
            &format!("if that fails:       mortise finish {id} --failure --reason \"…\""),
        ]
    );
    assert_eq!(server.deployment(&id)["deployment"]["actor"], "ci/api");

    let pending = run(&["start", "-f", &file, "-i", "version=2.1", "--server", &url]).exits(1);
    assert!(pending.out.starts_with("another attempt holds the slot (deployment-pending, 409)\n"), "{pending:?}");
    assert!(pending.out.contains(&id) && pending.out.contains("ci/api"), "{pending:?}");

    let failed = run(&["finish", &id, "--failure", "--reason", "disk full", "--server", &url]).exits(0);
    assert_eq!(failed.lines()[0], "org.shop.api 2.0 in test (instance blue): attempt 1 failed (disk full), now Error");
    assert_eq!(run(&["finish", &id, "--failure", "--server", &url]).exits(0).out, failed.out, "a repeat says the same");
    let otherwise = run(&["finish", &id, "--success", "--server", &url]).exits(1);
    assert!(otherwise.out.contains("already-finished"), "{otherwise:?}");

    let started = run(&["start", "-f", &file, "-i", "version=2.1", "--server", &url, "-o", "json"]).exits(0).json();
    let succeeded = run(&["finish", text(&started, "id"), "--success", "--server", &url]).exits(0);
    assert_eq!(succeeded.lines()[0], "org.shop.api 2.1 in test (instance blue): attempt 2 succeeded, now Active");
}

#[test]
fn finish_shows_what_has_changed_since_the_plan_was_made() {
    let server = Server::start();
    server.deploy(&provider("database", "sql"));
    let open = server.started(&consumer("api", "sql"));
    let moved = json!({"provides": [{"interface": "sql", "layer": "server", "attributes": {"url": "elsewhere"}}]});
    server.deploy(&with(provider("database", "sql"), moved));
    let finished = run(&["finish", text(&open, "id"), "--success", "--server", &server.url()]).exits(0);
    assert!(
        finished.out.contains("\nchanged since the plan was made: needed: database has other values\n"),
        "{finished:?}"
    );
}

#[test]
fn a_set_is_started_shown_and_finished_as_one() {
    let server = Server::start();
    let set = json!([consumer("api", "sql"), provider("database", "sql")]).to_string();
    let started = run_with(&["start", "-f", "-", "--server", &server.url()], &[], &set).exits(0);
    assert_eq!(started.lines()[1], "api 1.0 in test: attempt 1 is open");
    assert!(started.out.contains("\ndatabase 1.0 in test: attempt 1 is open\n"), "{started:?}");
    let id = started.lines().last().unwrap().split(' ').find(|word| word.len() == 36).unwrap().to_owned();
    let finished = run(&["finish", &id, "--success", "--server", &server.url()]).exits(0);
    assert_eq!(finished.out.matches("succeeded, now Active").count(), 2, "{finished:?}");
}

#[test]
fn answers_come_as_text_as_json_or_as_yaml() {
    let server = Server::start();
    let (url, input) = (server.url(), spec("a").to_string());
    let with_output =
        |output: &str| run_with(&["plan", "-f", "-", "--server", &url, "--output", output], &[], &input).exits(0);
    assert_eq!(with_output("json").json()["deployable"], "yes");
    assert!(with_output("yaml").out.starts_with("deployable: \"yes\"\nrevision: "));
    assert!(with_output("text").out.starts_with("deployable: yes (a dry run; nothing was recorded)\na 1.0 in test\n"));
    assert!(server.items("/deployments").is_empty());
    let refused = run_with(&["plan", "-f", "-", "--server", &url, "-o", "json"], &[], "{}").exits(2);
    assert_eq!(refused.json()["code"], "invalid-specification");
    run_with(&["plan", "-f", "-", "--server", &url, "-o", "xml"], &[], &input).exits(2);
}

#[test]
fn yaml_and_json_are_told_apart_by_name_or_by_their_first_sign() {
    let server = Server::start();
    let files = Files::new();
    let yaml = "system: shop\nname: a\nversion: 1.10\nenvironment: test\n";
    let sources = [
        ("plain", yaml, ""),
        ("a.yaml", yaml, ""),
        ("a.yml", "{system: shop, name: a, version: 1.10, environment: test}", ""),
        ("plain-json", r#" {"system": "shop", "name": "a", "version": "1.10", "environment": "test"}"#, ""),
        ("-", yaml, yaml),
    ];
    for (name, content, input) in sources {
        let file = if name == "-" { name.to_owned() } else { files.write(name, content) };
        let planned =
            run_with(&["plan", "-f", &file, "--server", &server.url(), "-o", "json"], &[], input).exits(0).json();
        assert_eq!(planned["artifactSpec"]["version"], "1.10", "{name}");
    }
}

#[test]
fn a_repeat_under_its_key_exits_0_while_it_is_open_and_1_after() {
    let server = Server::start();
    let (url, input) = (server.url(), spec("a").to_string());
    let start = |key: &str| {
        run_with(&["start", "-f", "-", "--server", &url, "-o", "json", "--idempotency-key", key], &[], &input)
    };
    let first = start("build 7").exits(0);
    assert_eq!(first.err, "");
    let again = start("build 7").exits(0);
    assert_eq!(again.json()["id"], first.json()["id"]);
    assert!(again.err.contains("idempotency key") && again.err.contains("still open"), "{again:?}");
    start("build 8").exits(1);
    server.succeed(&first.json());
    let ended = start("build 7").exits(1);
    assert_eq!(ended.json()["deployment"]["outcome"], "succeeded");
    assert!(ended.err.contains("idempotency key") && ended.err.contains("has ended"), "{ended:?}");
    let other = with(spec("a"), json!({"version": "2.0"})).to_string();
    let reused =
        run_with(&["start", "-f", "-", "--server", &url, "--idempotency-key", "build 7"], &[], &other).exits(2);
    assert!(reused.out.contains("idempotency-key-reused"), "{reused:?}");
}

#[test]
fn what_is_not_deployable_exits_1_with_the_explanation() {
    let server = Server::start();
    server.deploy(&provider("database", "sql"));
    let input = with(consumer("api", "sql"), json!({"requires": {"needed": {"interface": "sql", "version": "[2,3)"}}}))
        .to_string();
    for command in ["start", "plan"] {
        let refused = run_with(&[command, "-f", "-", "--server", &server.url()], &[], &input).exits(1);
        for said in ["needed: nothing", "1 is needed", "database", "1.0", "[2,3)"] {
            assert!(refused.out.contains(said), "{said} is missing in {refused:?}");
        }
        let json =
            run_with(&[command, "-f", "-", "--server", &server.url(), "-o", "json"], &[], &input).exits(1).json();
        let plan = json.get("plan").unwrap_or(&json);
        assert_eq!(plan["explanation"]["unmet"][0]["require"], "needed");
    }
}

#[test]
fn what_policy_leaves_undecided_exits_3() {
    let server = Server::start_with(&["--first-deployment", "refuse"]);
    for command in ["start", "plan"] {
        let refused = run_with(&[command, "-f", "-", "--server", &server.url()], &[], &spec("a").to_string()).exits(3);
        assert!(refused.out.contains("test"), "{refused:?}");
    }
}

#[test]
fn an_invalid_specification_exits_2_with_every_problem_and_its_place() {
    let server = Server::start();
    let input = json!({"system": "shop", "name": "a", "vresion": "1", "version": "1 ${inptu.x}", "environment": "test", "provides": 7}).to_string();
    let places = ["/vresion: ", "/version, line 1, column 5: ", "/provides: "];
    let refused = run_with(&["start", "-f", "-", "--server", &server.url()], &[], &input).exits(2);
    assert_eq!(refused.lines()[0], "the specification is not valid (invalid-specification, 422)");
    let checked = run_with(&["check", "-f", "-"], &[], &input).exits(2);
    for place in places {
        let found = |ran: &Ran| {
            ran.lines().iter().any(|line| line.trim_start_matches("standard input: ").trim_start().starts_with(place))
        };
        assert!(found(&refused) && found(&checked), "{place} is missing in {refused:?} or {checked:?}");
    }
    let malformed = run_with(&["start", "-f", "-", "--server", &server.url()], &[], "{\"system\": ").exits(2);
    assert!(malformed.out.contains("(malformed, 400)"), "{malformed:?}");
}

#[test]
fn finish_takes_a_token_or_the_plan_with_corrected_attributes() {
    let server = Server::start_with(&["--finish-needs-token", "true"]);
    let files = Files::new();
    let url = server.url();
    let first = server.started(&provider("a", "sql"));
    let (id, token) = (text(&first, "id"), text(&first["lease"], "token"));
    for refused in [vec!["finish", id, "--success"], vec!["finish", id, "--success", "--token", "another"]] {
        assert!(run(&[&refused[..], &["--server", &url]].concat()).exits(1).out.contains("lease-lost"));
    }
    run_with(&["finish", id, "--success", "--server", &url], &[("MORTISE_LEASE_TOKEN", token)], "").exits(0);

    let mut second = server.started(&provider("a", "sql"));
    second["artifactSpec"]["provides"][0]["attributes"]["url"] = "corrected".into();
    let file = files.json("plan.json", &second);
    let id = text(&second, "id");
    let finished = run(&["finish", id, "--success", "--file", &file, "--server", &url, "-o", "json"]).exits(0).json();
    assert_eq!(finished["artifactSpec"]["provides"][0]["attributes"]["url"], "corrected");
    assert_eq!(server.items("/components")[0]["attributes"]["url"], "corrected");
    run(&["finish", id, "--success", "--file", &file, "--reason", "why", "--server", &url]).exits(2);
    run(&["finish", id, "--server", &url]).exits(2);
    run(&["finish", id, "--success", "--failure", "--server", &url]).exits(2);
    assert!(run(&["finish", "0193", "--success", "--server", &url]).exits(2).out.contains("not-found"));
}

#[test]
fn what_cannot_be_reached_read_or_sent_exits_2_and_says_what_to_look_at() {
    let input = spec("a").to_string();
    // A port that was free a moment ago, and is closed.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let unreachable = run_with(&["start", "-f", "-", "--server", &closed], &[], &input).exits(2);
    assert!(unreachable.err.contains(&closed) && unreachable.err.contains("mortise serve"), "{unreachable:?}");
    assert_eq!(unreachable.out, "");
    for address in ["https://example.org", "", "ftp://x"] {
        assert!(
            run_with(&["start", "-f", "-", "--server", address], &[], &input).exits(2).err.contains("http://host:port")
        );
    }
    let server = Server::start();
    let unsendable =
        run_with(&["start", "-f", "-", "--server", &server.url(), "--actor", "a\nb"], &[], &input).exits(2);
    assert!(unsendable.err.contains("--actor"), "{unsendable:?}");
    for command in ["start", "plan", "check"] {
        assert!(run(&[command, "-f", "no/such/file.yaml"]).exits(2).err.contains("no/such/file.yaml"));
    }
    run_with(&["start", "-f", "-", "-i", "no-value", "--server", &server.url()], &[], &input).exits(2);
    run_with(&["start", "-f", "-", "-i", "=value", "--server", &server.url()], &[], &input).exits(2);
    run(&["no-such-command"]).exits(2);
}

#[test]
fn inputs_reach_the_templates_whatever_they_are_called() {
    let server = Server::start();
    let input =
        with(spec("a"), json!({"version": "${input.dryRun}-${input.app.version}", "instance": "${input.text}"}))
            .to_string();
    let arguments = [
        "start",
        "-f",
        "-",
        "-i",
        "dryRun=1",
        "-i",
        "app.version=2=3",
        "-i",
        "text=a & b + ü",
        "-o",
        "json",
        "--server",
        &server.url(),
    ];
    let started = run_with(&arguments, &[], &input).exits(0).json();
    assert_eq!(started["artifactSpec"]["version"], "1-2=3");
    assert_eq!(started["artifactSpec"]["instance"], "a & b + ü");
    assert_eq!(started["deployment"]["number"], 1);
}

#[test]
fn check_needs_no_server_and_lists_the_inputs_it_was_not_given() {
    let files = Files::new();
    let file = files.json(
        "a.json",
        &with(spec("a"), json!({"version": "${input.version}", "instance": "${input.domain!\"one\"}"})),
    );
    let checked = run(&["check", "-f", &file]).exits(0);
    assert_eq!(
        checked.lines(),
        [
            &format!("{file}: valid, as far as can be told without its inputs:"),
            "  --input domain=…  (has a default)",
            "  --input version=…",
        ]
    );
    let json = run(&["check", "-f", &file, "-o", "json"]).exits(0).json();
    assert_eq!((&json["valid"], &json["problems"]), (&json!(true), &json!([])));
    let version = json!({"name": "version", "required": true, "given": false});
    assert!(json["inputs"].as_array().unwrap().contains(&version), "{json}");
    assert_eq!(run(&["check", "-f", &file, "-i", "version=1"]).exits(0).lines()[0], format!("{file}: valid"));
    // With some inputs given, those that are missing are problems.
    let missing = run(&["check", "-f", &file, "-i", "domain=two"]).exits(2);
    assert!(missing.out.contains("/version, line 1, column 3: "), "{missing:?}");

    let warned = with(spec("a"), json!({"requires": {"x": {"interface": "i", "quantifier": "+"}}})).to_string();
    let warned = run_with(&["check", "-f", "-"], &[], &warned).exits(0);
    assert!(warned.lines()[0].starts_with("standard input: /requires/x/quantifier: warning: "), "{warned:?}");
    let malformed = run_with(&["check", "-f", "-"], &[], "{\"system\": ").exits(2);
    assert!(malformed.out.starts_with("standard input: line 1, column "), "{malformed:?}");
    let many =
        (0..3).map(|number| (format!("r{number}"), json!({"interface": "i"}))).collect::<serde_json::Map<_, _>>();
    let many = with(spec("a"), json!({"requires": many})).to_string();
    assert!(
        run_with(&["check", "-f", "-", "--max-requires", "2"], &[], &many).exits(2).out.contains("[too-many-requires]")
    );
}

#[test]
fn every_good_specification_in_the_fixtures_passes_the_check() {
    let stack = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/stack");
    for entry in std::fs::read_dir(stack).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            run(&["check", "-f", path.to_str().unwrap()]).exits(0);
        }
    }
}

#[test]
fn versions_are_compared_and_ranges_tried_as_the_planner_does() {
    for (left, right, sign) in
        [("1.0-alpha", "1.0", "<\n"), ("1.0", "1", "=\n"), ("1.10", "1.9", ">\n"), ("-1", "1", "<\n")]
    {
        assert_eq!(run(&["version", "compare", left, right]).exits(0).out, sign, "{left} {right}");
    }
    for (range, version, code) in [
        ("[1.0,2.0)", "1.5", 0),
        ("[1.0,2.0)", "2.0", 1),
        ("^1.2", "1.3.0", 0),
        ("^1.2", "2.0.0", 1),
        ("[2,1]", "1", 2),
        ("1.0", "1", 2),
    ] {
        let ran = run(&["version", "matches", range, version]).exits(code);
        assert_eq!(ran.err.is_empty(), code != 2, "{ran:?}");
        assert_eq!(ran.out, "");
    }
    // What surprises is explained.
    assert!(run(&["version", "matches", "[1.0,2.0)", "1.0-SNAPSHOT"]).exits(1).err.contains("1.0-SNAPSHOT"));
}

#[test]
fn every_flag_has_a_variable_of_the_environment() {
    fn commands(command: &clap::Command, found: &mut Vec<(String, clap::Arg)>) {
        let name = command.get_name();
        found.extend(command.get_arguments().map(|argument| (name.to_owned(), argument.clone())));
        command.get_subcommands().for_each(|inner| commands(inner, found));
    }
    let mut arguments = Vec::new();
    commands(&Config::command(), &mut arguments);
    let flags: Vec<_> = arguments
        .iter()
        .filter(|(_, argument)| argument.get_long().is_some_and(|flag| flag != "help" && flag != "version"))
        .collect();
    assert!(flags.len() > 20);
    for (command, flag) in flags {
        let variable = flag.get_env().unwrap_or_else(|| panic!("--{} of {command} has none", flag.get_long().unwrap()));
        assert!(variable.to_string_lossy().starts_with("MORTISE_"), "{variable:?}");
    }
}

#[test]
fn variables_stand_in_for_flags_and_flags_win() {
    let server = Server::start();
    let files = Files::new();
    let file = files.json("a.json", &with(spec("a"), json!({"version": "${input.version}"})));
    let url = server.url();
    let variables = [
        ("MORTISE_SERVER", url.as_str()),
        ("MORTISE_FILE", &file),
        ("MORTISE_INPUT", "version=7"),
        ("MORTISE_OUTPUT", "json"),
        ("MORTISE_ACTOR", "ci/a"),
        ("MORTISE_IDEMPOTENCY_KEY", "build 7"),
    ];
    let started = run_with(&["start"], &variables, "").exits(0).json();
    assert_eq!(started["artifactSpec"]["version"], "7");
    assert_eq!(started["deployment"]["actor"], "ci/a");
    assert_eq!(run_with(&["start"], &variables, "").exits(0).json()["id"], started["id"]);
    run_with(&["start", "-i", "version=8"], &variables, "").exits(2);
    assert_eq!(
        run_with(&["plan", "-i", "version=8", "-o", "json"], &variables, "").exits(0).json()["artifactSpec"]["version"],
        "8"
    );
    let finish = [("MORTISE_SERVER", url.as_str()), ("MORTISE_SUCCESS", "true"), ("MORTISE_REASON", "it went well")];
    assert!(
        run_with(&["finish", text(&started, "id")], &finish, "")
            .exits(0)
            .out
            .contains("succeeded (it went well), now Active")
    );
}

#[test]
fn what_is_not_seen_or_controls_a_terminal_is_written_out_in_texts_for_people() {
    let server = Server::start();
    let hidden = "a\u{202e}b\u{200b}c\u{1b}[31md\u{2028}e";
    let provides =
        json!({"provides": [{"interface": "i", "layer": "server", "attributes": {"note": "a\u{202e}b\u{2066}"}}]});
    server.deploy(&with(spec("provider"), provides));
    let needs = json!({"requires": {"i": {"interface": "i", "attributes": ["note"]}}});
    let plan = server.started(&with(spec("needs"), needs));
    let flags = ["--server", &server.url(), "--reason", "b\u{200b}c\u{2028}"];
    let ran = run(&[&["finish", text(&plan, "id"), "--failure"], &flags[..]].concat());
    assert!(ran.out.contains(r"note=a\u{202e}b\u{2066}") && ran.out.contains(r"(b\u{200b}c\u{2028})"), "{ran:?}");
    // Of a path that is not there, in a message.
    let ran = run(&["check", "-f", hidden]).exits(2);
    assert!(ran.err.contains(r"a\u{202e}b\u{200b}c\u{1b}[31md\u{2028}e"), "{ran:?}");
    // For programs it is what it is.
    let json = run(&[&["finish", text(&plan, "id"), "--failure", "-o", "json"], &flags[..2]].concat()).json();
    assert_eq!(json["deployment"]["reason"], "b\u{200b}c\u{2028}");
}
