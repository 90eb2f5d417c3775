//! Servers on their way up, which are killed before they get there.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel};
use std::time::{Duration, Instant};

/// How long a start may take: far more than any does, so that a hang shows as a failure.
const PATIENCE: Duration = Duration::from_secs(120);

/// How far a server had come when it was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Killed {
    OnItsWay,
    /// It was ready after so long, before anybody killed it.
    Ready(Duration),
}

/// Prepares what a server starts on, and kills the one that is started there at this part of the `whole` time that it takes; what
/// it left. Whoever is ready before that tells how long it takes by now: the machine has other things to do, now more, now less.
#[track_caller]
pub fn killed_on_its_way<T>(
    whole: &mut Duration,
    part: f64,
    mut prepare: impl FnMut() -> T,
    start: impl Fn(&T) -> Starting,
) -> T {
    loop {
        let prepared = prepare();
        match start(&prepared).kill_after(whole.mul_f64(part)) {
            Killed::OnItsWay => return prepared,
            Killed::Ready(took) => *whole = took,
        }
    }
}

/// The middles of so many parts of a whole.
pub fn middles(parts: u32) -> impl Iterator<Item = f64> {
    (0..parts).map(move |part| (f64::from(part) + 0.5) / f64::from(parts))
}

/// A server that has been started, and has not said yet that it is ready.
pub struct Starting {
    child: Child,
    /// What it says first.
    said: Receiver<String>,
    since: Instant,
}

impl Starting {
    pub fn run(mut command: Command) -> Self {
        let since = Instant::now();
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, said) = channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            stdout.read_line(&mut line).unwrap();
            // Nobody listens any more where it was killed.
            drop(sender.send(line));
        });
        Self { child, said, since }
    }

    /// How long it takes until it is ready; then it is killed.
    #[track_caller]
    pub fn whole(self) -> Duration {
        match self.kill_after(PATIENCE) {
            Killed::Ready(whole) => whole,
            Killed::OnItsWay => panic!("it is not ready after {PATIENCE:?}"),
        }
    }

    /// Kills it after so long at the latest.
    #[track_caller]
    pub fn kill_after(mut self, patience: Duration) -> Killed {
        let said = self.said.recv_timeout(patience);
        let took = self.since.elapsed();
        self.kill();
        match said {
            Ok(line) => ready(&line, took),
            Err(RecvTimeoutError::Timeout) => Killed::OnItsWay,
            Err(RecvTimeoutError::Disconnected) => panic!("nobody reads what it says"),
        }
    }

    /// Kills it as soon as this is so, or it is ready.
    #[track_caller]
    pub fn kill_when(mut self, mut is_time: impl FnMut() -> bool) -> Killed {
        loop {
            let said = self.said.try_recv();
            if said == Err(TryRecvError::Empty) && self.since.elapsed() < PATIENCE && !is_time() {
                std::thread::yield_now();
                continue;
            }
            let took = self.since.elapsed();
            self.kill();
            return match said {
                Ok(line) => ready(&line, took),
                Err(TryRecvError::Empty) if took < PATIENCE => Killed::OnItsWay,
                Err(error) => panic!("it is not ready in time: {error}"),
            };
        }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[track_caller]
fn ready(line: &str, took: Duration) -> Killed {
    assert!(line.starts_with("mortise listens on "), "it ended by itself, and said `{}`", line.trim_end());
    Killed::Ready(took)
}
