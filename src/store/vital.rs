//! Threads without which the process is of no use.

use std::thread::{Builder, JoinHandle, panicking};

/// With what the process ends: as where it failed from the start.
const EXIT: i32 = 2;

/// Starts a thread without which the process is of no use: one that ends in a panic ends the process, so that whoever supervises it
/// starts it again. A process that only looks alive would be left as it is for ever.
///
/// # Errors
/// What the system says where no thread can be started.
pub fn spawn_vital(name: &'static str, work: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    Builder::new().name(name.to_owned()).spawn(move || {
        let _ends_the_process = Vital(name);
        work();
    })
}

struct Vital(&'static str);

impl Drop for Vital {
    fn drop(&mut self) {
        if panicking() {
            tracing::error!(thread = self.0, "ending the process: a thread that it cannot do without ended in a panic");
            std::process::exit(EXIT);
        }
    }
}
