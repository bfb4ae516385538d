//! A copy of the committed tree, in which the mutants are built.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

use serde_json::Value;

use crate::Subject;
use crate::listed::{Listed, listed};

/// Where it lies, below the root of the repository.
pub(crate) const FOLDER: &str = "tests/mutants/target/copy";

/// What each crate gets, to ask which mutant is on.
const SWITCH: &str = "//! Which mutant is on.

static ON: std::sync::LazyLock<u32> = std::sync::LazyLock::new(|| {
    std::env::var(\"MUTANT\").ok().and_then(|number| number.parse().ok()).unwrap_or(0)
});

/// Its number, 0 for none.
pub fn on() -> u32 {
    *ON
}

/// Whether it is this one.
pub fn is(number: u32) -> bool {
    *ON == number
}
";

/// The copy.
pub(crate) struct Copy {
    root: PathBuf,
}

/// What a build came to.
pub(crate) struct Built {
    /// The mutants that do not compile.
    pub(crate) unviable: Vec<u32>,
    /// The program with the unit tests of each package.
    pub(crate) tests: BTreeMap<String, PathBuf>,
}

impl Copy {
    /// Clones the repository around `root` into the tool's own target folder.
    pub(crate) fn of(root: &Path) -> io::Result<Self> {
        let copy = Self {
            root: root.join(FOLDER),
        };
        if copy.root.exists() {
            fs::remove_dir_all(&copy.root)?;
        }
        let mut clone = Command::new("git");
        clone.args(["clone", "--quiet"]).arg(root).arg(&copy.root);
        output(&mut clone)?;
        Ok(Self {
            root: copy.root.canonicalize()?,
        })
    }

    /// Asks cargo-mutants for its list.
    pub(crate) fn listed(&self, subjects: &[Subject]) -> io::Result<Vec<Listed>> {
        let mut list = self.cargo("mutants");
        list.args(["--list", "--json", "--workspace"]);
        for subject in subjects {
            list.args(["--file", &subject.path()]);
        }
        Ok(listed(&serde_json::from_slice(&output(&mut list)?)?))
    }

    /// Takes all changes back, but for the switch.
    pub(crate) fn reset(&self) -> io::Result<()> {
        let mut checkout = Command::new("git");
        checkout
            .current_dir(&self.root)
            .args(["checkout", "--quiet", "--", "."]);
        output(&mut checkout)?;
        for (folder, _, _) in crate::CRATES {
            self.write(&format!("{folder}/src/mutant.rs"), SWITCH)?;
            let library = format!("{folder}/src/lib.rs");
            let text = self.read(&library)?;
            let header = text
                .lines()
                .take_while(|line| line.is_empty() || line.starts_with("//!"));
            let header: usize = header.map(|line| line.len() + 1).sum();
            let (before, behind) = text.split_at(header);
            let module = "#[allow(missing_docs)]\npub mod mutant;\n";
            self.write(&library, &format!("{before}{module}{behind}"))?;
        }
        Ok(())
    }

    /// A file of the copy.
    pub(crate) fn read(&self, path: &str) -> io::Result<String> {
        fs::read_to_string(self.root.join(path))
    }

    /// Writes one.
    pub(crate) fn write(&self, path: &str, text: &str) -> io::Result<()> {
        fs::write(self.root.join(path), text)
    }

    /// Builds the unit tests of the crates whose tests can tell a mutant.
    pub(crate) fn built(&self, subjects: &[Subject]) -> io::Result<Built> {
        let mut test = self.cargo("test");
        test.args(["--lib", "--no-run", "--message-format", "json"])
            .stderr(Stdio::inherit());
        for package in packages(subjects) {
            test.args(["--package", package]);
        }
        let told = test.output()?;
        let (mut tests, mut unviable) = (BTreeMap::new(), BTreeSet::new());
        for line in told.stdout.split(|byte| *byte == b'\n') {
            let message: Value = serde_json::from_slice(line).unwrap_or_default();
            if let Some((package, program)) = test_program(&message) {
                tests.insert(package, program);
            }
            if message["message"]["level"] == "error" {
                unviable.extend(self.blamed(&message["message"])?);
            }
        }
        if !told.status.success() && unviable.is_empty() {
            return Err(io::Error::other(
                "the build fails, and no mutant is to blame",
            ));
        }
        Ok(Built {
            unviable: unviable.into_iter().collect(),
            tests,
        })
    }

    /// The mutant that an error of the compiler points at: the next one to the left.
    fn blamed(&self, error: &Value) -> io::Result<Option<u32>> {
        let spans = error["spans"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let Some(span) = spans.iter().find(|span| span["is_primary"] == true) else {
            return Ok(None);
        };
        let number = |name: &str| span[name].as_u64().and_then(|at| usize::try_from(at).ok());
        let (Some(file), Some(line), Some(column)) = (
            span["file_name"].as_str(),
            number("line_start"),
            number("column_start"),
        ) else {
            return Ok(None);
        };
        let text = self.read(file)?;
        let line = text.lines().nth(line - 1).unwrap_or_default();
        let before: String = line.chars().take(column - 1).collect();
        Ok(last_number(&before))
    }

    fn cargo(&self, command: &str) -> Command {
        let mut cargo = Command::new("cargo");
        cargo.current_dir(&self.root).arg(command);
        cargo.env("CARGO_TARGET_DIR", target(&self.root));
        cargo
    }
}

/// The folder of the caller's choice, or one beside the copy.
fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("../build"), PathBuf::from)
}

/// A change in the certificates shows in the verifier too.
fn packages(subjects: &[Subject]) -> BTreeSet<&'static str> {
    let mut packages: BTreeSet<_> = subjects.iter().map(|subject| subject.package).collect();
    if packages.contains("fedgate-certs") {
        packages.insert("fedgate-providers");
    }
    packages
}

fn test_program(message: &Value) -> Option<(String, PathBuf)> {
    let program = message["executable"].as_str()?;
    let package = message["package_id"].as_str()?;
    let name = message["target"]["name"].as_str()?.replace('_', "-");
    let is_test = message["profile"]["test"] == true && !package.is_empty();
    is_test.then(|| (name, PathBuf::from(program)))
}

/// The last number of a mutant in a line: `is(7)` or `7u32 =>`.
fn last_number(line: &str) -> Option<u32> {
    let digits = |text: &str| {
        text.chars()
            .take_while(char::is_ascii_digit)
            .collect::<String>()
    };
    let asked = line
        .rmatch_indices("is(")
        .next()
        .map(|(at, found)| (at, digits(&line[at + found.len()..])));
    let chosen = line.rmatch_indices("u32 =>").next().map(|(at, _)| {
        let reversed: String = line[..at]
            .chars()
            .rev()
            .take_while(char::is_ascii_digit)
            .collect();
        (at, reversed.chars().rev().collect())
    });
    let (_, number) = asked.into_iter().chain(chosen).max_by_key(|(at, _)| *at)?;
    number.parse().ok()
}

fn output(command: &mut Command) -> io::Result<Vec<u8>> {
    let output = command.stderr(Stdio::inherit()).output()?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(io::Error::other(format!("{command:?}: {}", output.status)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_blamed_on_the_mutant_to_its_left() {
        assert_eq!(last_number("if crate::mutant::is(7) { return "), Some(7));
        assert_eq!(last_number("is(7) || (match on() { 12u32 => a "), Some(12));
        assert_eq!(last_number("12u32 => a, _ => is(8)"), Some(8));
        assert_eq!(last_number("match a { 1 => "), None);
    }
}
