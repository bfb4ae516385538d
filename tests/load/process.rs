//! Processes, as `/proc` shows them.

use std::path::Path;

use crate::Outcome;

/// Ticks of `/proc/PID/stat` in a second: `USER_HZ`, which is 100 on every Linux.
const TICKS: f64 = 100.0;

/// Memory of a process, in MiB.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    /// Resident now (`VmRSS`).
    pub(crate) resident: f64,
    /// The most that ever was (`VmHWM`).
    pub(crate) peak: f64,
}

/// CPU time that a process has used so far, in user and kernel mode, in milliseconds.
pub(crate) fn cpu_milliseconds(id: u32) -> Outcome<f64> {
    fields_milliseconds(&format!("/proc/{id}/stat"), &[14, 15])
}

/// The same of all processes that work in a folder, and of those that they started and that have ended.
pub(crate) fn cpu_milliseconds_in(folder: &Path) -> f64 {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|entry| {
            let process = entry.path();
            let works_there = std::fs::read_link(process.join("cwd")).ok()? == folder;
            let stat = process.join("stat");
            let used = fields_milliseconds(&stat.to_string_lossy(), &[14, 15, 16, 17]).ok()?;
            works_there.then_some(used)
        })
        .sum()
}

/// Memory of a process.
pub(crate) fn memory(id: u32) -> Outcome<Memory> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let mebibytes = |name: &str| -> Outcome<f64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kibibytes: f64 = line
            .and_then(|line| line.split_ascii_whitespace().next())
            .ok_or("no such line")?
            .parse()?;
        Ok(kibibytes / 1024.0)
    };
    Ok(Memory {
        resident: mebibytes("VmRSS:")?,
        peak: mebibytes("VmHWM:")?,
    })
}

/// `proc_pid_stat(5)`: the name of the program, in parentheses, may hold anything, and the third field follows it.
/// `utime` is the 14th, `stime` the 15th; the next two are those of children that have ended.
fn fields_milliseconds(file: &str, numbers: &[usize]) -> Outcome<f64> {
    let stat = std::fs::read_to_string(file)?;
    let (_, fields) = stat.rsplit_once(')').ok_or("no stat")?;
    let fields: Vec<_> = fields.split_ascii_whitespace().collect();
    let mut ticks = 0.0;
    for number in numbers {
        let field: f64 = fields.get(number - 3).ok_or("no such field")?.parse()?;
        ticks += field;
    }
    Ok(ticks * 1000.0 / TICKS)
}
