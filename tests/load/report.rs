//! The table: medians over the runs with their spread, and on which machine they were seen.

use std::fmt;
use std::process::Command;
use std::time::Duration;

use crate::gateway::Starts;
use crate::scenario::{Row, Run};

/// All that was measured.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) starts: Starts,
    pub(crate) rows: Vec<Row>,
    pub(crate) logins: u32,
    pub(crate) concurrency: u32,
    pub(crate) userinfo: bool,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", machine())?;
        writeln!(
            f,
            "Runs of {} logins, {} at a time{}; median (least to most) over the runs.\n",
            self.logins,
            self.concurrency,
            if self.userinfo {
                ", each with a call of userinfo"
            } else {
                ""
            },
        )?;
        writeln!(
            f,
            "| upstream, ID token | CPU of the gateway, ms per login | logins/s | p50 ms | p99 ms | resident, peak MiB |\n|---|---|---|---|---|---|"
        )?;
        for row in &self.rows {
            write_row(f, row)?;
        }
        let starts = &self.starts;
        let others: Vec<_> = starts.others.iter().map(milliseconds).collect();
        writeln!(
            f,
            "\nStart of the process to its first answer: {} ms; the very first, which makes database and keys, {:.0} ms.",
            spread(others, 0),
            milliseconds(&starts.first)
        )
    }
}

fn write_row(f: &mut fmt::Formatter<'_>, row: &Row) -> fmt::Result {
    let column =
        |of: &dyn Fn(&Run) -> f64, digits| spread(row.runs.iter().map(of).collect(), digits);
    writeln!(
        f,
        "| {} | {} | {} | {} | {} | {:.0}, {:.0} |",
        row.name,
        column(&|run| run.cpu, 3),
        column(&|run| f64::from(run.logins) / run.seconds, 0),
        column(&|run| percentile(run, 50), 1),
        column(&|run| percentile(run, 99), 1),
        row.memory.resident,
        row.memory.peak,
    )
}

/// Of whole logins, in milliseconds.
fn percentile(run: &Run, percent: usize) -> f64 {
    let index = (run.durations.len() * percent / 100).min(run.durations.len().saturating_sub(1));
    run.durations.get(index).map_or(f64::NAN, milliseconds)
}

fn milliseconds(duration: &Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// `median (least to most)`
fn spread(mut values: Vec<f64>, digits: usize) -> String {
    values.sort_by(f64::total_cmp);
    match (values.first(), values.get(values.len() / 2), values.last()) {
        (Some(least), Some(median), Some(most)) => {
            format!("{median:.digits$} ({least:.digits$} to {most:.digits$})")
        }
        _ => "not measured".to_owned(),
    }
}

fn machine() -> String {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "{model}, {cores} cores; {}; {}; commit {}.",
        answer("rustc", &["--version"]),
        openssl::version::version(),
        answer("git", &["describe", "--always", "--dirty", "--exclude=*"]),
    )
}

fn answer(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output();
    let text = output.ok().filter(|output| output.status.success());
    text.map_or_else(
        || format!("{program} unknown"),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}
