//! How far a transfer is, on standard error.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::store::transfer::{Progress, Step};

/// How often the line of a terminal is rewritten at most.
const REWRITE: Duration = Duration::from_millis(100);
/// Where there is no terminal, another line is written after so long, or after so many changes.
const REPEAT: Duration = Duration::from_secs(5);
const REPEAT_CHANGES: u64 = 100_000;

/// Shows progress: on a terminal in one line that is rewritten, elsewhere in a line now and then.
pub(super) struct ProgressLine {
    is_terminal: bool,
    /// Where the step began.
    begun: Option<Shown>,
    /// What was shown of it last.
    shown: Option<Shown>,
    /// Whether the line on the terminal has no end yet, so that anything else would be written behind it.
    is_standing: bool,
}

#[derive(Clone, Copy)]
struct Shown {
    step: Step,
    revision: u64,
    at: Instant,
}

impl ProgressLine {
    /// A line of which nothing is shown yet.
    pub fn new() -> Self {
        Self { is_terminal: std::io::stderr().is_terminal(), begun: None, shown: None, is_standing: false }
    }

    /// Shows the progress, if it is time to.
    pub fn show(&mut self, progress: Progress) {
        let Some(text) = self.due(progress, Instant::now()) else { return };
        self.is_standing = self.is_terminal;
        let mut out = std::io::stderr().lock();
        // The transfer goes on even where its progress cannot be written.
        let _unheard = if self.is_terminal { write!(out, "\r\x1b[K{text}") } else { writeln!(out, "{text}") };
    }

    /// The text to be shown now, if it is time to.
    fn due(&mut self, progress: Progress, at: Instant) -> Option<String> {
        let now = Shown { step: progress.step, revision: progress.revision, at };
        let (Some(begun), Some(last)) = (self.begun.filter(|begun| begun.step == now.step), self.shown) else {
            (self.begun, self.shown) = (Some(now), Some(now));
            return None;
        };
        let (waited, moved) = (at - last.at, now.revision.saturating_sub(last.revision));
        let is_due = if self.is_terminal { waited >= REWRITE } else { waited >= REPEAT || moved >= REPEAT_CHANGES };
        is_due.then(|| {
            self.shown = Some(now);
            told(progress, now.revision - begun.revision, at - begun.at)
        })
    }
}

/// Clears the line, so that what comes next begins at its start.
impl Drop for ProgressLine {
    fn drop(&mut self) {
        if self.is_standing {
            let _unheard = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

fn told(progress: Progress, changes: u64, elapsed: Duration) -> String {
    let doing = match progress.step {
        Step::Export => "exporting",
        Step::Verify => "verifying",
        Step::Import => "importing",
    };
    let (revision, end) = (progress.revision, progress.end);
    let percent = u128::from(revision) * 100 / u128::from(end.max(1));
    let rate = changes as f64 / elapsed.as_secs_f64().max(0.001);
    format!("{doing}: revision {revision} of {end}, {percent} %, {rate:.0} changes/s")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown of these moments (milliseconds, step, revision), of 400,000 changes.
    fn shown(is_terminal: bool, moments: &[(u64, Step, u64)]) -> Vec<Option<String>> {
        let (mut line, begin) =
            (ProgressLine { is_terminal, begun: None, shown: None, is_standing: false }, Instant::now());
        let due = moments.iter().map(|&(milliseconds, step, revision)| {
            line.due(Progress { step, revision, end: 400_000 }, begin + Duration::from_millis(milliseconds))
        });
        due.collect()
    }

    #[test]
    fn a_line_is_written_every_five_seconds_or_hundred_thousand_changes_and_each_step_begins_anew() {
        let moments = [
            (0, Step::Verify, 1),
            (4_999, Step::Verify, 99_999),
            (5_000, Step::Verify, 100_001),
            (5_001, Step::Verify, 100_002),
            (6_000, Step::Verify, 200_001),
            (7_000, Step::Import, 100_000),
            (13_000, Step::Import, 130_000),
        ];
        let lines = shown(false, &moments).into_iter().flatten().collect::<Vec<_>>();
        assert_eq!(
            lines,
            [
                "verifying: revision 100001 of 400000, 25 %, 20000 changes/s",
                "verifying: revision 200001 of 400000, 50 %, 33333 changes/s",
                "importing: revision 130000 of 400000, 32 %, 5000 changes/s",
            ]
        );
    }

    #[test]
    fn the_line_of_a_terminal_is_rewritten_ten_times_a_second_at_most() {
        let moments: Vec<_> = (0..=100).map(|tick| (10 * tick, Step::Export, 100 * tick)).collect();
        assert_eq!(shown(true, &moments).into_iter().flatten().count(), 10);
    }
}
