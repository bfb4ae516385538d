//! The tables of whole logins: what they cost the gateway, and what they cost the servers beside it.

use std::fmt::Write as _;

use crate::LoginOptions;
use crate::arrangement::Counts;
use crate::scenario::{Row, Run};
use crate::table::{head, milliseconds, percentile, row, spread};

/// CPU time, rate, duration and memory.
pub(crate) fn logins(rows: &[Row], checks: &[String], options: &LoginOptions) -> String {
    let mut text = format!(
        "Runs of {} logins, {} at a time{}; median (least to most) over the runs.\n\n",
        options.logins,
        options.concurrency,
        if options.userinfo {
            ", each with a call of userinfo"
        } else {
            ""
        },
    );
    text += &head(&[
        "store: upstream, ID token",
        "CPU of the gateway, ms per login",
        "of PostgreSQL",
        "of Redis",
        "logins/s",
        "p50 ms",
        "p99 ms",
        "resident, peak MiB",
    ]);
    for row in rows {
        text += &login_row(row);
    }
    text.push('\n');
    for check in checks {
        let _ = writeln!(text, "Counted afterwards: {check}.  ");
    }
    text
}

/// What the servers counted.
pub(crate) fn servers(rows: &[Row]) -> String {
    let mut text = String::from("Per login, of the same runs; median (least to most).\n\n");
    text += &head(&[
        "store: upstream, ID token",
        "transactions of PostgreSQL",
        "octets of its write-ahead log",
        "commands of Redis",
        "octets in Redis",
    ]);
    for of in rows {
        let column = |what: &dyn Fn(&Counts) -> f64, digits| {
            let counts = of.runs.iter().filter_map(|run| run.counts.as_ref());
            spread(counts.map(what).collect(), digits)
        };
        if of.runs.iter().any(|run| run.counts.is_some()) {
            text += &row(&[
                of.name.clone(),
                column(&|counts| counts.transactions, 1),
                column(&|counts| counts.wal, 0),
                column(&|counts| counts.commands, 1),
                column(&|counts| counts.memory, 0),
            ]);
        }
    }
    text
}

fn login_row(of: &Row) -> String {
    let column = |what: &dyn Fn(&Run) -> f64, digits| {
        spread(of.runs.iter().map(what).collect::<Vec<_>>(), digits)
    };
    let beside = |what: &dyn Fn(&Run) -> f64| {
        if of.runs.iter().any(|run| run.counts.is_some()) {
            column(what, 3)
        } else {
            "none".to_owned()
        }
    };
    row(&[
        of.name.clone(),
        column(&|run| run.cpu.gateway, 3),
        beside(&|run| run.cpu.postgres),
        beside(&|run| run.cpu.redis),
        column(&|run| f64::from(run.logins) / run.seconds, 0),
        column(&|run| milliseconds(percentile(&run.durations, 50)), 1),
        column(&|run| milliseconds(percentile(&run.durations, 99)), 1),
        format!("{:.0}, {:.0}", of.memory.resident, of.memory.peak),
    ])
}
