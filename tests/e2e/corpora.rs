//! Third-party SAML documents: what their own suites refuse must be refused here, and what those accept must be
//! accepted, or stand in `testdata/corpora-exceptions.toml` with the rule that it breaks.
//!
//! The documents are not part of this repository. Where they are absent, the test says so and passes.

#![expect(clippy::expect_used, reason = "what does not hold panics")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use fedgate_providers::error::Refusal;
use fedgate_providers::saml::metadata::IdpMetadata;
use fedgate_tests::process::fedgate;
use serde::Deserialize;
use serde_json::Value;

/// When metadata is read: documents that ended before are refused as expired.
const METADATA_NOW: &str = "2026-01-01T00:00:00Z";

#[derive(Deserialize)]
struct Case {
    file: String,
    kind: String,
    expected: String,
    expected_scope: String,
    cert: Vec<String>,
    encrypted_key_file: Option<String>,
    audience: Option<String>,
    acs: Option<String>,
    in_response_to: Option<String>,
    valid_at: Option<String>,
    name_id: Option<String>,
}

#[derive(Deserialize)]
struct Exceptions {
    exception: Vec<Exception>,
}

/// Documents that their own suites accept, and one rule that they break.
#[derive(Deserialize)]
struct Exception {
    code: String,
    rule: String,
    files: Vec<String>,
}

struct Corpora {
    folder: PathBuf,
    cases: Vec<Case>,
}

impl Corpora {
    fn find() -> Option<Self> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
        let folder = workspace
            .ancestors()
            .skip(1)
            .take(2)
            .map(|parent| parent.join("shared/corpora"));
        let folder = folder
            .into_iter()
            .find(|folder| folder.join("manifest.jsonl").exists())?;
        let manifest =
            std::fs::read_to_string(folder.join("manifest.jsonl")).expect("the manifest");
        let cases = manifest
            .lines()
            .map(|line| serde_json::from_str(line).expect("a case"))
            .collect();
        Some(Self { folder, cases })
    }

    fn of_kind(&self, is_wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = &Case> {
        self.cases.iter().filter(move |case| is_wanted(&case.kind))
    }

    /// Runs `fedgate saml verify`: the exit code and the JSON.
    fn verify(&self, case: &Case) -> (i32, Value) {
        let mut command = Command::new(fedgate());
        command.args([
            "saml",
            "verify",
            "--allow-sha1",
            "--allow-cbc",
            "--sp-entity-id",
            case.audience.as_deref().unwrap_or("urn:none"),
        ]);
        command.args([
            "--acs",
            case.acs.as_deref().unwrap_or("https://none.example/"),
        ]);
        // Without a certificate of its own a document must not find one elsewhere.
        let stranger = ["node-saml__node-saml/test/static/cert.pem".to_owned()];
        let certificates = if case.cert.is_empty() {
            &stranger[..]
        } else {
            &case.cert
        };
        for file in certificates {
            command.arg("--idp-cert").arg(self.folder.join(file));
        }
        case.encrypted_key_file.iter().for_each(|file| {
            command.arg("--sp-key").arg(self.folder.join(file));
        });
        case.in_response_to.iter().for_each(|id| {
            command.args(["--in-response-to", id]);
        });
        case.valid_at.iter().for_each(|at| {
            command.args(["--at", at]);
        });
        if case.expected_scope != "full" {
            command.arg("--signature-only");
        }
        if case.expected == "reject" {
            // The suites know no tolerance for clocks.
            command.args(["--skew", "0"]);
        }
        let output = command
            .arg(self.folder.join(&case.file))
            .output()
            .expect("fedgate runs");
        let answer = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
            panic!("{}: {}", case.file, String::from_utf8_lossy(&output.stderr))
        });
        (output.status.code().expect("an exit code"), answer)
    }

    /// Reads metadata; of a group, each of its entities.
    fn read_metadata(&self, case: &Case) -> Result<(), Refusal> {
        let bytes = std::fs::read(self.folder.join(&case.file)).expect("a document");
        let now = METADATA_NOW.parse().expect("a time");
        let read = |chosen| {
            let metadata = IdpMetadata::parse(&bytes, chosen)?;
            if case.expected == "reject" {
                metadata.valid_at(now)
            } else {
                Ok(())
            }
        };
        match read(None) {
            Err(refusal) if refusal.code() == "metadata.several_identity_providers" => {
                let found = refusal.evidence().found.expect("the entities");
                // Service providers stand among them; one identity provider must be readable by name.
                let results: Vec<_> = found.split(", ").map(|id| read(Some(id))).collect();
                let readable = results.iter().find(|result| result.is_ok());
                readable.or(results.last()).cloned().expect("an entity")
            }
            result => result,
        }
    }
}

/// Compares verdicts with expectations, and keeps count.
#[derive(Default)]
struct Tally {
    counts: BTreeMap<String, usize>,
    complaints: String,
    used: BTreeSet<String>,
}

impl Tally {
    fn count(&mut self, what: &str) {
        *self.counts.entry(what.to_owned()).or_default() += 1;
    }

    fn judge(&mut self, case: &Case, code: Option<&str>, exceptions: &BTreeMap<String, Exception>) {
        match (case.expected.as_str(), code) {
            ("reject", None) => {
                let _ = writeln!(self.complaints, "accepted, must be refused: {}", case.file);
            }
            ("reject", Some(_)) => self.count("refused as they must be"),
            ("accept", None) => self.count("accepted as they must be"),
            ("accept", Some(code)) => match exceptions.get(&case.file) {
                Some(exception) if exception.code == code => {
                    self.used.insert(case.file.clone());
                    self.count(&format!("refused by a rule: {}", exception.rule));
                }
                _ => {
                    let _ = writeln!(
                        self.complaints,
                        "refused with {code}, must be accepted: {}",
                        case.file
                    );
                }
            },
            _ => self.count("unknown to their own suites"),
        }
    }

    fn report(&self, of: &str) {
        println!("{of}:");
        self.counts
            .iter()
            .for_each(|(what, count)| println!("  {count:4} {what}"));
        assert!(self.complaints.is_empty(), "{}", self.complaints);
    }
}

fn exceptions() -> BTreeMap<String, Exception> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/corpora-exceptions.toml");
    let text = std::fs::read_to_string(path).expect("the exceptions");
    let table: Exceptions = toml::from_str(&text).expect("a table of exceptions");
    let mut by_file = BTreeMap::new();
    for exception in table.exception {
        for file in &exception.files {
            let one = Exception {
                code: exception.code.clone(),
                rule: exception.rule.clone(),
                files: Vec::new(),
            };
            assert!(
                by_file.insert(file.clone(), one).is_none(),
                "{file} stands twice"
            );
        }
    }
    by_file
}

#[test]
fn third_party_documents_are_judged_as_their_own_suites_do() {
    let Some(corpora) = Corpora::find() else {
        println!("corpora not present");
        return;
    };
    let exceptions = exceptions();
    let mut messages = Tally::default();
    for case in corpora.of_kind(|kind| {
        matches!(
            kind,
            "response" | "assertion" | "wsfed" | "logout" | "authnrequest"
        )
    }) {
        if case.kind != "response" && case.expected != "reject" {
            messages.count("not responses, so nothing that saml verify could accept");
            continue;
        }
        let (exit, answer) = corpora.verify(case);
        let code = answer["code"].as_str();
        assert_eq!(exit, i32::from(code.is_some()), "{}", case.file);
        messages.judge(case, code, &exceptions);
        if let (None, Some(name_id)) = (code, &case.name_id) {
            assert_eq!(answer["identity"]["subject"], **name_id, "{}", case.file);
        }
    }
    let mut metadata = Tally::default();
    for case in corpora.of_kind(|kind| kind == "metadata") {
        let refusal = corpora.read_metadata(case).err();
        metadata.judge(case, refusal.as_ref().map(Refusal::code), &exceptions);
    }
    messages.report("messages");
    metadata.report("metadata");
    let unused: Vec<_> = exceptions
        .keys()
        .filter(|file| !messages.used.contains(*file) && !metadata.used.contains(*file))
        .collect();
    assert!(unused.is_empty(), "exceptions that are none: {unused:?}");
}
