//! What runs the tests of a target whose tests may lack a database: one that lacks it is reported as ignored, with the reason.
//!
//! The harness of the compiler knows before it starts which tests are ignored. Such a target therefore has `harness = false` in
//! `Cargo.toml` and a `main` of its own. Its tests have no `#[test]`; each module names them in [`tests!`], and `main` names
//! each module. What is forgotten is never used, of which the compiler warns.

use std::panic::resume_unwind;
use std::process::ExitCode;
use std::thread::Builder;

use libtest_mimic::{Arguments, Completion, Trial};

use crate::database::Absent;

/// What a test returns that may lack what it needs.
pub type Tested = Result<(), Absent>;

/// What a test returns.
pub trait Ending {
    fn completion(self) -> Completion;
}

impl Ending for () {
    fn completion(self) -> Completion {
        Completion::Completed
    }
}

impl Ending for Tested {
    fn completion(self) -> Completion {
        self.map_or_else(|absent| Completion::ignored_with(absent.to_string()), Ending::completion)
    }
}

/// Names the tests of a module: `tests![one_sentence, another_sentence];`
macro_rules! tests {
    ($($test:ident),+ $(,)?) => {
        pub(crate) fn tests() -> Vec<libtest_mimic::Trial> {
            vec![$($crate::harness::trial(module_path!(), stringify!($test), $test)),+]
        }
    };
}
pub(crate) use tests;

/// A test, under the name that the harness of the compiler would give it.
pub fn trial<E: Ending>(module: &str, name: &str, test: impl FnOnce() -> E + Send + 'static) -> Trial {
    let name = module.split_once("::").map_or_else(|| name.to_owned(), |(_, module)| format!("{module}::{name}"));
    // A panic tells the name of its thread.
    let thread = Builder::new().name(name.clone());
    Trial::ignorable_test(name, move || {
        let running = thread.spawn(|| test().completion()).expect("a thread can be started");
        Ok(running.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}

/// Runs the tests that the arguments of this process ask for, as `cargo test` would.
pub fn run(modules: impl IntoIterator<Item = Vec<Trial>>) -> ExitCode {
    // Nothing is ever captured.
    let mut arguments = Arguments::from_iter(std::env::args().filter(|argument| argument != "--no-capture"));
    let threads = std::env::var("RUST_TEST_THREADS").ok().map(|threads| threads.parse().expect("it is a number"));
    arguments.test_threads = arguments.test_threads.or(threads);
    let mut trials: Vec<_> = modules.into_iter().flatten().collect();
    trials.sort_by(|left, right| left.name().cmp(right.name()));
    libtest_mimic::run(&arguments, trials).exit_code()
}
