//! Runs the tests against each mutant until one fails.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::Subject;
use crate::copy;
use crate::switch::Mutant;

/// How long one run of the tests may take; a mutant that takes longer goes in circles.
const PATIENCE: Duration = Duration::from_mins(5);

/// Tests that change every byte of a document: left to the last stage, where no other test has failed.
const SLOW: [&str; 2] = ["no_changed_byte", "no_single_byte"];

/// What became of a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// A test failed.
    Caught,
    /// The tests did not come to an end.
    TimedOut,
    /// It does not compile.
    Unviable,
    /// All tests passed.
    Missed,
}

/// Judges all, some at once, in their order.
pub(crate) fn all(
    mutants: &[Mutant],
    unviable: &[u32],
    subjects: &[Subject],
    tests: &BTreeMap<String, PathBuf>,
) -> Vec<Verdict> {
    let next = AtomicUsize::new(0);
    let verdicts = Mutex::new(vec![Verdict::Unviable; mutants.len()]);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((at, mutant)) = taken(&next, mutants) {
                    if unviable.contains(&mutant.number) {
                        continue;
                    }
                    let verdict = judged(mutant, subjects, tests);
                    eprintln!("{verdict:?} {}", mutant.name);
                    if let Ok(mut verdicts) = verdicts.lock() {
                        verdicts[at] = verdict;
                    }
                }
            });
        }
    });
    verdicts.into_inner().unwrap_or_default()
}

fn taken<'m>(next: &AtomicUsize, mutants: &'m [Mutant]) -> Option<(usize, &'m Mutant)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    mutants.get(at).map(|mutant| (at, mutant))
}

fn judged(mutant: &Mutant, subjects: &[Subject], tests: &BTreeMap<String, PathBuf>) -> Verdict {
    let Some(subject) = subjects
        .iter()
        .find(|subject| subject.path() == mutant.file)
    else {
        return Verdict::Missed;
    };
    let stages = stages(*subject);
    for (stage, (package, filter)) in stages.iter().enumerate() {
        let Some(program) = tests.get(*package) else {
            continue;
        };
        let skipped = if stage + 1 < stages.len() {
            &SLOW[..]
        } else {
            &[]
        };
        match run(program, (subject.folder, filter), skipped, mutant.number) {
            Verdict::Missed => {}
            verdict => return verdict,
        }
    }
    Verdict::Missed
}

/// Packages and filters: the file's own tests, the attacks on the whole verifier, then all tests that can tell.
fn stages(subject: Subject) -> Vec<(&'static str, String)> {
    let module = subject
        .file
        .trim_end_matches(".rs")
        .split('/')
        .take(2)
        .collect::<Vec<_>>();
    let own = (subject.package, module.join("::"));
    match subject.folder {
        "providers" => vec![
            own,
            (subject.package, "saml::verify".to_owned()),
            (subject.package, String::new()),
        ],
        "certs" => vec![
            own,
            (subject.package, String::new()),
            ("fedgate-providers", "saml".to_owned()),
        ],
        _ => vec![own, (subject.package, String::new())],
    }
}

fn run(program: &Path, (folder, filter): (&str, &str), skipped: &[&str], number: u32) -> Verdict {
    let mut command = Command::new(program);
    command
        .args(["--test-threads", "1"])
        .args((!filter.is_empty()).then_some(filter));
    command.args(skipped.iter().flat_map(|test| ["--skip", test]));
    command.env("MUTANT", number.to_string());
    // What a failing test leaves behind stays in the copy.
    command.current_dir(Path::new(copy::FOLDER).join(folder));
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let Ok(mut child) = command.spawn() else {
        return Verdict::Caught;
    };
    let verdict = told(&lines(&mut child));
    // It may be at an end already.
    let _ = child.kill();
    let _ = child.wait();
    verdict
}

fn lines(child: &mut Child) -> Receiver<String> {
    let (sender, receiver) = channel();
    if let Some(stdout) = child.stdout.take() {
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
    }
    receiver
}

/// A process that ends without the line that says so was ended by the mutant.
fn told(lines: &Receiver<String>) -> Verdict {
    let end = Instant::now() + PATIENCE;
    loop {
        match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(line) if line.starts_with("test result: ok") => return Verdict::Missed,
            Ok(line) if line.starts_with("test ") && line.ends_with("FAILED") => {
                return Verdict::Caught;
            }
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout) => return Verdict::TimedOut,
            Err(RecvTimeoutError::Disconnected) => return Verdict::Caught,
        }
    }
}
