//! The scripts in `tests/servers`, and the processes that their servers must not outlive.

use std::fmt;
use std::os::unix::process::parent_id;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::{Absent, Engine};

/// What the scripts exit with where their server cannot run on this machine.
const ABSENT: i32 = 69;

/// The script of an engine, for one server.
#[derive(Debug)]
pub struct Script {
    script: PathBuf,
    data: PathBuf,
}

impl Script {
    pub fn of(engine: Engine, data: &Path) -> Self {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers");
        Self { script: scripts.join(format!("{}.sh", engine.name())), data: data.to_owned() }
    }

    /// Starts the server where it is not running, to end with the process `watched`; its URI.
    pub fn start(&self, watched: u32) -> Result<String, Absent> {
        let output = self.output("start", &["--while-alive", &watched.to_string()]);
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.code() == Some(ABSENT) {
            return Err(Absent(said.trim().replace('\n', "; ")));
        }
        assert!(output.status.success(), "{} could not start its server: {said}", self.script.display());
        let uri = String::from_utf8(output.stdout).expect("a script speaks UTF-8");
        Ok(uri.lines().last().expect("its last line is the URI").to_owned())
    }

    /// Runs another of its commands.
    pub fn run(&self, command: &str) {
        let output = self.output(command, &[]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} {command}: {said}", self.script.display());
    }

    /// The process id of its server.
    pub fn pid(&self) -> u32 {
        let pid = std::fs::read_to_string(self.data.join("pid")).expect("a server that was started has a process id");
        pid.trim().parse().expect("a process id is a number")
    }

    fn output(&self, command: &str, arguments: &[&str]) -> Output {
        let mut run = Command::new("bash");
        run.arg(&self.script).arg(command).arg("--data").arg(&self.data).args(arguments).stdin(Stdio::null());
        run.output().expect("bash can be run")
    }
}

/// The process of which all test binaries of one run are children.
#[derive(Debug)]
pub struct TestRun {
    pub pid: u32,
    /// When it began: an id may be given to another process later.
    began: String,
}

/// `cargo`, where that runs the tests, else this process.
pub fn test_run() -> TestRun {
    let cargo = Some(parent_id()).filter(|parent| {
        let name = std::fs::read_to_string(format!("/proc/{parent}/comm")).unwrap_or_default();
        name.starts_with("cargo")
    });
    let pid = cargo.unwrap_or_else(std::process::id);
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name, in parentheses, may hold spaces; the time of the start is the twentieth field after it.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    TestRun { pid, began: fields.split_whitespace().nth(19).unwrap_or("0").to_owned() }
}

impl fmt::Display for TestRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.pid, self.began)
    }
}
