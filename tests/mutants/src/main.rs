//! Mutation testing of the SAML verifier, its keys and its replay marks: `docs/MUTANTS.md`.
//!
//! cargo-mutants builds each mutant for itself. Here all stand in one build, each behind a number that the environment
//! chooses, so that a mutant costs no more than the tests that it fails.

mod copy;
mod edit;
mod judge;
mod listed;
mod report;
mod switch;

use std::io;
use std::path::Path;

use copy::Copy;
use listed::Listed;
use switch::{Mutant, switched};

/// Folders of crates with their packages, and the files whose mutants are made.
const CRATES: [(&str, &str, &[&str]); 3] = [
    (
        "providers",
        "fedgate-providers",
        &[
            "saml/signature.rs",
            "saml/signature/profile.rs",
            "saml/decrypt.rs",
            "saml/decrypt/profile.rs",
            "saml/conditions.rs",
            "saml/confirmation.rs",
            "saml/assertion.rs",
            "saml/shape.rs",
            "saml/message.rs",
            "saml/status.rs",
            "saml/verify.rs",
            "saml/provider.rs",
            "saml/decode.rs",
            "saml/methods.rs",
            "saml/c14n.rs",
        ],
    ),
    (
        "certs",
        "fedgate-certs",
        &["decryption.rs", "trust.rs", "public_key.rs"],
    ),
    (
        "gateway",
        "fedgate",
        &[
            "store/mark.rs",
            "people/sign_in.rs",
            "people/sign_in/decision.rs",
            "people/sign_in/situation.rs",
            "people/sign_in/write.rs",
        ],
    ),
];

/// How often what does not compile is left out and the rest built again.
const BUILDS: usize = 8;

/// One file of the list above.
#[derive(Clone, Copy, Debug)]
struct Subject {
    folder: &'static str,
    package: &'static str,
    /// Below the crate's `src`.
    file: &'static str,
}

impl Subject {
    fn path(self) -> String {
        format!("{}/src/{}", self.folder, self.file)
    }
}

/// Arguments: parts of paths; without one, every file of the list.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let parts: Vec<String> = std::env::args().skip(1).collect();
    let subjects: Vec<Subject> = subjects()
        .filter(|subject| {
            let path = subject.path();
            parts.is_empty() || parts.iter().any(|part| path.contains(part))
        })
        .collect();
    let copy = Copy::of(Path::new("."))?;
    let listed = copy.listed(&subjects)?;
    let mut unviable = Vec::new();
    for _ in 0..BUILDS {
        let (mutants, unplaced) = placed(&copy, &subjects, &listed, &unviable)?;
        let built = copy.built(&subjects)?;
        if built.unviable.is_empty() {
            let verdicts = judge::all(&mutants, &unviable, &subjects, &built.tests);
            report::print(&mutants, &verdicts, &unplaced);
            return Ok(());
        }
        unviable.extend(built.unviable);
    }
    Err("there is always one more mutant that does not compile".into())
}

fn subjects() -> impl Iterator<Item = Subject> {
    CRATES.into_iter().flat_map(|(folder, package, files)| {
        files.iter().map(move |file| Subject {
            folder,
            package,
            file,
        })
    })
}

/// Writes the mutants into the copy.
fn placed(
    copy: &Copy,
    subjects: &[Subject],
    listed: &[Listed],
    unviable: &[u32],
) -> io::Result<(Vec<Mutant>, Vec<String>)> {
    copy.reset()?;
    let (mut mutants, mut unplaced, mut next) = (Vec::new(), Vec::new(), 1);
    for subject in subjects {
        let path = subject.path();
        let source = copy.read(&path)?;
        let switched =
            switched(&path, &source, listed, next, unviable).map_err(io::Error::other)?;
        copy.write(&path, &switched.text)?;
        next = switched.next;
        mutants.extend(switched.mutants);
        unplaced.extend(switched.unplaced);
    }
    Ok((mutants, unplaced))
}
