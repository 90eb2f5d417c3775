//! What README.md promises, done.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use mortise::document::{Document, Limits};
use mortise::http::{ROUTES, Route};
use mortise::model::{Code, Settings};
use mortise::spec::{Inputs, ReadContext, StartDocument};

const BINARY: &str = env!("CARGO_BIN_EXE_mortise");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).expect("README.md is there")
}

/// The lines that are indented as commands, in order.
fn commands() -> Vec<String> {
    readme().lines().filter_map(|line| line.strip_prefix("    ")).map(str::to_owned).collect()
}

#[test]
fn the_first_command_runs_the_main_job_from_a_refusal_to_a_finished_deployment() {
    let first = commands().remove(0);
    assert_eq!(first, "bash tests/main-job.sh");
    let job = Command::new("bash").arg("tests/main-job.sh").current_dir(root()).env("MORTISE_BIN", BINARY).output();
    let job = job.expect("bash runs");
    let told = String::from_utf8(job.stdout).expect("the output is UTF-8");
    assert!(job.status.success(), "{told}{}", String::from_utf8_lossy(&job.stderr));
    let steps = [
        "nothing provides postgresql in any environment",
        "org.shop.database 15.4 in test: attempt 1 is open",
        "org.shop.database 15.4 in test: attempt 1 succeeded, now Active",
        "org.shop.api 2.3.0 in test: attempt 1 is open",
        "org.shop.database 15.4 in test  host=db1.test  port=5432",
        "org.shop.api 2.3.0 in test: attempt 1 succeeded, now Active",
    ];
    let mut rest = told.as_str();
    for step in steps {
        let (_, after) =
            rest.split_once(step).unwrap_or_else(|| panic!("`{step}` is not told, or not in its order:\n{told}"));
        rest = after;
    }
}

#[test]
fn the_second_command_is_the_one_that_ci_runs() {
    let second = commands().remove(1);
    assert_eq!(second, "cargo test --locked");
    let ci = std::fs::read_to_string(root().join(".ci/run")).expect(".ci/run is there");
    assert!(ci.contains(&second), "{ci}");
}

#[test]
fn the_specification_shown_is_valid_and_renders() {
    let readme = readme();
    let shown =
        readme.split("```yaml").nth(1).and_then(|rest| rest.split("```").next()).expect("a specification is shown");
    let document = Document::from_yaml(shown.as_bytes(), Limits::default()).expect("it is YAML");
    let inputs = Inputs::from_pairs([("version", "2.3.0"), ("environment", "test")]).expect("the inputs are valid");
    let settings = Settings::default();
    let start = StartDocument::read(&document, &inputs, ReadContext { settings: &settings });
    let member = start.unwrap_or_else(|problems| panic!("{problems:?}")).members.remove(0);
    let spec = member.specification.render(&member.inputs).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(spec.slot.artifact.as_str(), "org.shop.api");
    assert_eq!(spec.warnings, []);
}

#[test]
fn every_mortise_command_shown_is_one_that_the_command_line_knows() {
    let shown: Vec<_> = commands().into_iter().filter(|command| command.starts_with("mortise ")).collect();
    assert!(shown.len() >= 4, "{shown:?}");
    for command in shown {
        // Asked for its help, a command reads its own flags first and then does nothing.
        let arguments: Vec<_> = command.split_whitespace().skip(1).collect();
        let run = Command::new(BINARY).args(&arguments).arg("--help").output().expect("the binary runs");
        assert!(run.status.success(), "{command}: {}", String::from_utf8_lossy(&run.stderr));
    }
    let check = Command::new(BINARY).args(["check", "-f", "fixtures/first/api.yaml"]).current_dir(root()).output();
    assert!(check.expect("the binary runs").status.success());
}

#[test]
fn the_commands_that_move_a_store_move_it_and_what_is_said_of_the_file_holds() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let shown = commands();
    let run = |command: &str| {
        let mut words = command.split_whitespace();
        assert_eq!(words.next(), Some("mortise"));
        let run = Command::new(BINARY).args(words).current_dir(folder.path()).output().expect("the binary runs");
        (run.status.success(), String::from_utf8_lossy(&run.stderr).into_owned())
    };
    assert!(run("mortise settings set --data ./mortise-data --max-depth 16").0);
    let moving: Vec<_> =
        shown.iter().filter(|line| line.contains("mortise export") || line.contains("mortise import")).collect();
    assert_eq!(moving.len(), 2);
    for command in moving {
        let (is_done, told) = run(command);
        assert!(is_done, "{command}: {told}");
    }
    assert!(run("mortise export --data ./another-folder -o again.jsonl").0);
    let read = |name: &str| std::fs::read(folder.path().join(name)).expect("it was exported");
    let whole = read("history.jsonl");
    assert!(whole == read("again.jsonl"), "the two exports are not the same");

    std::fs::write(folder.path().join("cut.jsonl"), &whole[..whole.len() - 1]).expect("a file can be written");
    let (is_done, told) = run("mortise import --data ./third-folder cut.jsonl");
    assert!(!is_done && told.contains("line 3 is cut off") && !folder.path().join("third-folder").exists(), "{told}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let file = std::fs::metadata(folder.path().join("history.jsonl")).expect("it was exported");
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn every_code_and_file_that_is_named_is_there() {
    let readme = readme();
    for code in readme.split("/problems/").skip(1).filter_map(|rest| rest.split('`').next()) {
        assert!(Code::from_text(code).is_some(), "{code}");
    }
    for path in readme.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        assert!(root().join(path).exists(), "{path}");
    }
}

#[test]
fn every_request_that_is_shown_has_a_route() {
    let readme = readme();
    let methods: BTreeSet<_> = ROUTES.iter().map(|route| route.method.as_str()).collect();
    let in_prose =
        readme.split('`').filter_map(|code| code.split_once(" /").filter(|(word, _)| methods.contains(word)));
    // Both commands that are shown post.
    let in_commands = readme.split("http://127.0.0.1:8080/").skip(1).map(|rest| ("POST", rest));
    let mut count = 0;
    for (method, address) in in_prose.chain(in_commands) {
        let path = address.split(['?', '\'']).next().expect("there is a first part");
        assert!(ROUTES.iter().any(|route| route.method == method && takes(route, path)), "{method} /{path}");
        count += 1;
    }
    assert!(count >= 10, "only {count} requests are found");
}

/// Whether a route takes this path, which is written without its first `/`.
fn takes(route: &Route, path: &str) -> bool {
    let (parts, others): (Vec<_>, Vec<_>) = (route.path.split('/').skip(1).collect(), path.split('/').collect());
    parts.len() == others.len() && parts.iter().zip(others).all(|(part, other)| part.starts_with('{') || *part == other)
}
