//! What is looked at after each round.

use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Duration;

use super::server::Server;

/// What a server has spent since it was started.
#[derive(Clone, Copy)]
pub struct Spent {
    attempts: u64,
    work: Duration,
    written: u64,
}

impl Spent {
    /// What it has spent by now, on so many attempts.
    pub fn of(server: &Server, attempts: u64) -> Self {
        let written = server.written_bytes().expect("the system says what a process has written");
        let stat =
            fs::read_to_string(format!("/proc/{}/stat", server.pid())).expect("the system says how a process is");
        // The name may hold spaces; after it come the fields from the third on.
        let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |field: usize| fields[field - 3].parse::<u32>().expect("ticks are a number");
        Self { attempts, work: TICK * (ticks(14) + ticks(15)), written }
    }
}

/// How long what was asked took in a round.
#[derive(Default)]
pub struct Round {
    /// Starts.
    pub starts: Vec<Duration>,
    /// Requests that do nothing.
    pub idle: Vec<Duration>,
}

/// The unit in which Linux tells what a process has worked.
const TICK: Duration = Duration::from_millis(10);

/// What a server was like at the end of a round, and how long starts took in it.
pub struct Figures {
    /// What it had spent by then.
    pub spent: Spent,
    rate: f64,
    p50: Duration,
    p99: Duration,
    /// The p99 of a request that does nothing, which tells what the machine did besides.
    idle_p99: Duration,
    /// What the server worked for each attempt.
    work: Duration,
    /// How many bytes it wrote for each attempt.
    written: f64,
    resident: u64,
    anonymous: u64,
    files: u64,
    threads: u64,
    disk: u64,
}

impl Figures {
    /// What the columns are.
    pub const HEAD: &'static str = "attempts  starts/s   p50 ms   p99 ms   idle p99   CPU us  written kB   resident MB  anonymous MB  files  threads   disk MB";

    /// Looks at a server after a round that took this long.
    pub fn of(server: &Server, data: &Path, before: &Spent, took: Duration, round: Round) -> Self {
        let Round { mut starts, mut idle } = round;
        starts.sort_unstable();
        idle.sort_unstable();
        let at = |times: &[Duration], part: f64| {
            times.get((times.len() as f64 * part) as usize).copied().unwrap_or_default()
        };
        let spent = Spent::of(server, before.attempts + starts.len() as u64);
        let process = format!("/proc/{}", server.pid());
        let status = fs::read_to_string(format!("{process}/status")).expect("the system says how a process is");
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no {name}"));
            let number = line.trim_start_matches(':').split_whitespace().next();
            number.and_then(|number| number.parse::<u64>().ok()).expect("it is a number")
        };
        Self {
            rate: starts.len() as f64 / took.as_secs_f64(),
            p50: at(&starts, 0.5),
            p99: at(&starts, 0.99),
            idle_p99: at(&idle, 0.99),
            work: (spent.work - before.work) / starts.len() as u32,
            written: (spent.written - before.written) as f64 / starts.len() as f64,
            spent,
            resident: number("VmRSS") << 10,
            anonymous: number("RssAnon") << 10,
            files: entries(Path::new(&format!("{process}/fd"))).count() as u64,
            threads: number("Threads"),
            disk: entries(data).filter_map(|entry| Some(entry.metadata().ok()?.len())).sum(),
        }
    }

    /// How much more it is than in an earlier round, in words.
    pub fn growth_since(&self, first: &Self) -> String {
        let attempts = self.spent.attempts - first.spent.attempts;
        let more = |now: u64, then: u64| now as f64 - then as f64;
        let times = |now: Duration, then: Duration| now.as_secs_f64() / then.as_secs_f64();
        let each = |now, then| more(now, then) / attempts as f64;
        format!(
            "after {attempts} more attempts: p50 {:.2} times, p99 {:.2} times, a request that does nothing {:.2} times; CPU {:.2} \
             and written {:.2} times an attempt; {:+.0} bytes resident and {:+.0} anonymous \
             an attempt, {:+.0} files, {:+.0} threads, {:+.0} bytes of disk an attempt",
            times(self.p50, first.p50),
            times(self.p99, first.p99),
            times(self.idle_p99, first.idle_p99),
            times(self.work, first.work),
            self.written / first.written,
            each(self.resident, first.resident),
            each(self.anonymous, first.anonymous),
            more(self.files, first.files),
            more(self.threads, first.threads),
            each(self.disk, first.disk),
        )
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        write!(
            f,
            "{:>8}  {:>8.0}  {:>7.2}  {:>7.2}  {:>9.2}  {:>7.0}  {:>10.1}  {:>12.1}  {:>12.1}  {:>5}  {:>7}  {:>8.1}",
            self.spent.attempts,
            self.rate,
            milliseconds(self.p50),
            milliseconds(self.p99),
            milliseconds(self.idle_p99),
            self.work.as_secs_f64() * 1e6,
            self.written / 1e3,
            megabytes(self.resident),
            megabytes(self.anonymous),
            self.files,
            self.threads,
            megabytes(self.disk),
        )
    }
}

fn entries(folder: &Path) -> impl Iterator<Item = fs::DirEntry> {
    fs::read_dir(folder).expect("a folder can be listed").filter_map(Result::ok)
}
