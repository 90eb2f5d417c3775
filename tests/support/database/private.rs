//! A database of a test's own, which it may stop, kill and pause.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::script::Script;
use super::{Absent, Engine, folder, wipe};

/// A database of a test's own. It and its data are gone when it is dropped.
#[derive(Debug)]
pub struct PrivateDatabase {
    script: Script,
    data: PathBuf,
    uri: String,
}

/// Starts a database for one test, which takes some seconds.
pub fn private(engine: Engine) -> Result<PrivateDatabase, Absent> {
    PrivateDatabase::start_new(engine).map_err(|absent| engine.spared(absent))
}

impl PrivateDatabase {
    fn start_new(engine: Engine) -> Result<Self, Absent> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let data = folder().join(format!("{}-private-{}-{number}", engine.name(), std::process::id()));
        let script = Script::of(engine, &data);
        let uri = script.start(std::process::id())?;
        wipe::answers(&uri);
        Ok(Self { script, data, uri })
    }

    /// `bolt://user:password@host:port`, the same as long as it lives.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Ends it in order. Its data stay.
    pub fn stop(&self) {
        self.script.run("stop");
    }

    /// Ends it with SIGKILL. What it had written stays.
    pub fn kill(&self) {
        self.script.run("kill");
    }

    /// Starts it again, after [`stop`](Self::stop) or [`kill`](Self::kill), on the same port with the same data.
    pub fn start(&self) {
        let uri = self.script.start(std::process::id()).expect("what ran once can run again");
        assert_eq!(uri, self.uri, "a server keeps its port");
        wipe::answers(&uri);
    }

    /// Stops its clock with SIGSTOP: its connections stay open, and it answers nothing.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on after [`pause`](Self::pause).
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.script.pid();
        let status = Command::new("kill").args([signal, &pid.to_string()]).status().expect("kill can be run");
        assert!(status.success(), "process {pid} cannot be sent {signal}");
    }
}

impl Drop for PrivateDatabase {
    fn drop(&mut self) {
        // Nothing is lost that is not removed, so it need not end in order. A panic here would hide the test's own.
        if !std::thread::panicking() {
            self.script.run("kill");
            self.script.run("wipe");
        }
        // Where the test failed, the watchdog ends it with the process.
    }
}
