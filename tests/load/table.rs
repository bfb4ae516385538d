//! Tables for docs/BENCHMARKS.md, each between marks that `tests/bench` finds; and how figures are written.

use std::process::Command;
use std::time::Duration;

/// Prints a table under its name, with the machine that it was seen on; nothing where nothing was measured, so that the
/// former table stays.
pub(crate) fn print(name: &str, text: &str) {
    // A head and a rule are no measurement.
    if text.lines().filter(|line| line.starts_with('|')).count() <= 2 {
        return;
    }
    println!(
        "<!-- table: {name} -->\n{}\n{}\n\n<!-- end -->",
        machine(),
        text.trim_end()
    );
}

/// A row of cells.
pub(crate) fn row(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

/// The head of a table.
pub(crate) fn head(names: &[&str]) -> String {
    let rule = "|---".repeat(names.len());
    format!("| {} |\n{rule}|\n", names.join(" | "))
}

/// `median (least to most)`
pub(crate) fn spread(mut values: Vec<f64>, digits: usize) -> String {
    values.sort_by(f64::total_cmp);
    match (values.first(), values.get(values.len() / 2), values.last()) {
        (Some(least), Some(median), Some(most)) => {
            format!("{median:.digits$} ({least:.digits$} to {most:.digits$})")
        }
        _ => "not measured".to_owned(),
    }
}

/// That percentile of sorted durations.
pub(crate) fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(index).copied().unwrap_or_default()
}

pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

pub(crate) fn microseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000_000.0
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
