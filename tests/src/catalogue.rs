//! The catalogues of attacks (`testdata/{saml,oidc}/catalogue.toml`), which tests proved which entry in a run, and the
//! parts of `docs/SECURITY.md` that tell it.
//!
//! As with codes (`seen`), tests are processes of their own: a proof is one empty file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// What stands for a code where the entry does no harm and the login goes on.
pub const ACCEPTED: &str = "accepted";

/// A catalogue of attacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Catalogue {
    /// On a service provider of SAML.
    Saml,
    /// On a relying party of OAuth 2.0 and OpenID Connect.
    Oidc,
}

/// One attack.
#[derive(Clone, Debug, Deserialize)]
pub struct Entry {
    /// What is tried.
    pub attack: String,
    /// What keeps it out.
    pub held: String,
    /// What it waits for, where nothing proves it yet.
    pub later: Option<String>,
}

/// The tests that proved an entry, by the code that they saw.
pub type Proofs = BTreeMap<String, BTreeSet<String>>;

/// Notes that the test around it has just seen an entry end with a code, or with [`ACCEPTED`]. Numbers alone are SAML's.
#[macro_export]
macro_rules! proved {
    (oidc $number:expr, $code:expr) => {{
        fn here() {}
        $crate::catalogue::Catalogue::Oidc.note($number, $code, std::any::type_name_of_val(&here));
    }};
    ($number:expr, $code:expr) => {{
        fn here() {}
        $crate::catalogue::Catalogue::Saml.note($number, $code, std::any::type_name_of_val(&here));
    }};
}

impl Catalogue {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Saml, Self::Oidc];

    /// `saml` or `oidc`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Saml => "saml",
            Self::Oidc => "oidc",
        }
    }

    /// Every entry by its number.
    ///
    /// # Panics
    /// If the file is not as it should be.
    pub fn entries(self) -> BTreeMap<u16, Entry> {
        #[derive(Deserialize)]
        struct File {
            entry: BTreeMap<String, Entry>,
        }
        let path = root().join("testdata").join(self.name());
        let text = std::fs::read_to_string(path.join("catalogue.toml")).expect("the catalogue");
        let file: File = toml::from_str(&text).expect("the catalogue");
        let number = |key: &str| key.parse().expect("a number");
        let entries = file.entry.into_iter();
        entries.map(|(key, entry)| (number(&key), entry)).collect()
    }

    /// What [`proved!`] does; `place` is a function inside the test.
    ///
    /// # Panics
    /// If there is no such entry or no such code.
    pub fn note(self, number: u16, code: &str, place: &str) {
        assert!(self.entries().contains_key(&number), "no entry {number}");
        let known = crate::seen::codes(code).len() == 1 || code == ACCEPTED;
        assert!(known, "no code {code}");
        let folder = self.proofs_folder(number).join(code);
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join(test_name(place)), "").expect("a file");
    }

    /// What the tests have proved since the folder was emptied.
    pub fn proofs(self, number: u16) -> Proofs {
        let names = |folder: &Path| -> BTreeSet<String> {
            let found = std::fs::read_dir(folder).into_iter().flatten().flatten();
            found
                .map(|file| file.file_name().to_string_lossy().into_owned())
                .collect()
        };
        let folder = self.proofs_folder(number);
        names(&folder)
            .into_iter()
            .map(|code| {
                let tests = names(&folder.join(&code));
                (code, tests)
            })
            .collect()
    }

    /// The entries that nothing proved and that wait for nothing.
    pub fn missing(self) -> Vec<u16> {
        self.entries()
            .into_iter()
            .filter(|(number, entry)| entry.later.is_none() && self.proofs(*number).is_empty())
            .map(|(number, _)| number)
            .collect()
    }

    /// A document with this catalogue's table as the tests that ran make it.
    fn in_document(self, document: &str) -> String {
        let begin = format!(
            "<!-- catalogue {}: written by `cargo run -p fedgate-tests --bin attacks-proved write` after `tests/all` -->\n",
            self.name()
        );
        let end = format!("<!-- end of catalogue {} -->\n", self.name());
        let (head, rest) = document.split_once(&begin).expect("where the table begins");
        let (_, tail) = rest.split_once(&end).expect("where the table ends");
        format!("{head}{begin}{}{end}{tail}", self.table())
    }

    fn table(self) -> String {
        let mut text = String::from(
            "\n| | attack | what holds | ends as | proved by |\n|---|---|---|---|---|\n",
        );
        for (number, entry) in self.entries() {
            let proofs = self.proofs(number);
            let codes = quoted(proofs.keys());
            let tests: BTreeSet<&String> = proofs.values().flatten().collect();
            let (codes, tests) = match &entry.later {
                Some(later) if proofs.is_empty() => (format!("waits for {later}"), String::new()),
                _ => (codes, quoted(tests)),
            };
            let documents = match self.documents(number) {
                0 => String::new(),
                1 => ", 1 document".to_owned(),
                count => format!(", {count} documents"),
            };
            let _ = writeln!(
                text,
                "| {number} | {} | {} | {codes} | {tests}{documents} |",
                entry.attack, entry.held
            );
        }
        text.push('\n');
        text
    }

    /// How many fixtures an entry has.
    fn documents(self, number: u16) -> usize {
        let prefix = format!("{number:03}-");
        let kinds: &[&str] = match self {
            Self::Saml => &["response", "metadata"],
            Self::Oidc => &[],
        };
        let files = kinds
            .iter()
            .flat_map(|kind| std::fs::read_dir(folder(kind)).into_iter().flatten());
        files
            .flatten()
            .filter(|file| file.file_name().to_string_lossy().starts_with(&prefix))
            .count()
    }

    fn proofs_folder(self, number: u16) -> PathBuf {
        all_proofs().join(self.name()).join(number.to_string())
    }
}

/// Empties the folder of proofs, before a run.
pub fn forget() {
    let _ = std::fs::remove_dir_all(all_proofs());
}

/// `docs/SECURITY.md` with its tables as the tests that ran make them, and as it stands.
///
/// # Panics
/// If the document has no place for a table.
pub fn document() -> (String, String) {
    let written = std::fs::read_to_string(document_path()).expect("docs/SECURITY.md");
    let proved = Catalogue::ALL
        .into_iter()
        .fold(written.clone(), |document, catalogue| {
            catalogue.in_document(&document)
        });
    (proved, written)
}

/// Where the document is.
pub fn document_path() -> PathBuf {
    root().join("docs/SECURITY.md")
}

fn quoted<'s>(names: impl IntoIterator<Item = &'s String>) -> String {
    let quoted: Vec<_> = names
        .into_iter()
        .map(|name| match name.as_str() {
            ACCEPTED => ACCEPTED.to_owned(),
            name => format!("`{name}`"),
        })
        .collect();
    quoted.join(", ")
}

/// Where the fixtures of a kind lie, `response` or `metadata`.
pub fn folder(kind: &str) -> PathBuf {
    root().join("testdata/saml/catalogue").join(kind)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// `e2e::pending::a_test` of `e2e::pending::a_test::{{closure}}::here`.
fn test_name(place: &str) -> String {
    let parts = place
        .split("::")
        .filter(|part| !part.starts_with('{') && *part != "here");
    parts.collect::<Vec<_>>().join("::")
}

fn all_proofs() -> PathBuf {
    crate::seen::target().join("attacks-proved")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entries_are_numbered_without_a_gap() {
        for (catalogue, last) in [(Catalogue::Saml, 129), (Catalogue::Oidc, 60)] {
            let numbers: Vec<u16> = catalogue.entries().into_keys().collect();
            assert_eq!(numbers, (1..=last).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_test_is_named_without_its_inner_parts() {
        let place = "e2e::pending::a_test::{{closure}}::here";
        assert_eq!(test_name(place), "e2e::pending::a_test");
    }
}
