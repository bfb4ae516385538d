//! `fedgate saml`: looking at SAML documents offline, with the code that the server runs.

mod inspect;
mod verify;

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;
use fedgate_certs::Timestamp;
use fedgate_providers::error::Refusal;
use fedgate_providers::saml::decode;
use fedgate_providers::spec::Spec;
use serde_json::{Value, json};

pub use inspect::Inspect;
pub use verify::Verify;

/// The largest file that is read, in bytes: metadata of 4 MiB in base64 and some.
const MAX_FILE: u64 = 6 * 1024 * 1024;

/// What can be done with a SAML document.
#[derive(Debug, Subcommand)]
pub enum SamlCommand {
    /// Verify one response offline, with the very code that the server runs
    Verify(Box<Verify>),
    /// Explain metadata or a response; no verdict
    Inspect(Inspect),
}

/// What a command leaves behind: text for stdout and the exit code.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    /// For stdout, with its last line feed.
    pub text: String,
    /// 0 or 1; 2 is for [`Usage`].
    pub code: u8,
}

/// Wrong usage: a file that cannot be read, or arguments that contradict each other. Exit code 2.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Usage(String);

impl SamlCommand {
    /// Runs the command and prints its outcome.
    pub fn run(&self, now: Timestamp) -> ExitCode {
        let outcome = match self {
            Self::Verify(verify) => verify.execute(now),
            Self::Inspect(inspect) => inspect.execute(),
        };
        match outcome {
            Ok(outcome) => {
                // A reader that went away is no failure of the verdict.
                let _ = io::stdout().write_all(outcome.text.as_bytes());
                ExitCode::from(outcome.code)
            }
            Err(usage) => {
                let _ = writeln!(io::stderr(), "fedgate: {usage}");
                ExitCode::from(2)
            }
        }
    }
}

/// Reads a whole file, or standard input for `-`.
fn read(path: &Path) -> Result<Vec<u8>, Usage> {
    let mut bytes = Vec::new();
    let read = if path.as_os_str() == "-" {
        io::stdin()
            .lock()
            .take(MAX_FILE + 1)
            .read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes))
    };
    match read {
        Ok(_) if bytes.len() as u64 > MAX_FILE => Err(Usage(format!(
            "{}: larger than {MAX_FILE} bytes",
            path.display()
        ))),
        Ok(_) => Ok(bytes),
        Err(error) => Err(Usage(format!("{}: {error}", path.display()))),
    }
}

/// XML as it stands; anything else as base64, as in a form field, or as base64 of DEFLATE, as in a query.
fn decoded(input: &[u8]) -> Result<Cow<'_, [u8]>, Refusal> {
    if starts_as_xml(input) {
        return Ok(input.into());
    }
    let text = std::str::from_utf8(input).unwrap_or("?");
    let bytes = decode::base64(text.trim_ascii())?;
    if starts_as_xml(&bytes) {
        return Ok(bytes.into());
    }
    match decode::inflate(&bytes) {
        Some(inflated) => Ok(inflated.into()),
        // The verifier says what is wrong with the bytes themselves.
        None => Ok(bytes.into()),
    }
}

fn starts_as_xml(bytes: &[u8]) -> bool {
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    start
        .trim_ascii_start()
        .first()
        .is_none_or(|byte| *byte == b'<')
}

/// A refusal as the contract shows it, its fix in the words of a console.
fn refused(refusal: &Refusal, spec: Option<&Spec>) -> Value {
    let entry = refusal.entry();
    let evidence = refusal.evidence();
    let message = match evidence.detail {
        Some(detail) => format!("{} ({detail})", entry.meaning.trim_end_matches('.')),
        None => entry.meaning.to_owned(),
    };
    json!({
        "ok": false,
        "code": entry.code,
        "message": message,
        "expected": evidence.expected,
        "found": evidence.found,
        "fix": spec.map_or_else(|| entry.fix.to_owned(), |spec| spec.fix(entry)),
    })
}
