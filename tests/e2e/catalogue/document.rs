//! Every fixture of `testdata/saml/catalogue` ends as its name says. Signatures are those of xmlsec1 and openssl.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fedgate_tests::catalogue::{ACCEPTED, folder};
use fedgate_tests::command::run;
use fedgate_tests::proved;
use serde::Deserialize;
use serde_json::{Value, json};

/// The moment at which all fixtures are looked at: a minute after they were made.
const AT: &str = "2026-01-02T03:05:00Z";
const ADA: &str = "ada@example.com";

/// What is expected beyond the name of the file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// The certificate to trust in place of the usual metadata.
    trusted: Option<String>,
    subject: Option<String>,
    email: Option<String>,
    attributes: Option<BTreeMap<String, Vec<String>>>,
}

/// `NNN-name.code.xml`
struct Fixture {
    path: PathBuf,
    number: u16,
    name: String,
    code: String,
}

fn fixtures(kind: &str) -> Vec<Fixture> {
    let files = std::fs::read_dir(folder(kind)).expect("fixtures");
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    paths.into_iter().map(Fixture::of).collect()
}

fn expected() -> BTreeMap<String, Expected> {
    let path = folder("expected.toml");
    let text = std::fs::read_to_string(path).expect("expectations");
    toml::from_str(&text).expect("expectations")
}

impl Fixture {
    fn of(path: PathBuf) -> Self {
        let file = path.file_stem().expect("a name").to_string_lossy();
        let (name, code) = file.split_once('.').expect("a code in the name");
        let (name, code) = (name.to_owned(), code.to_owned());
        Self {
            number: name[..3].parse().expect("a number in front"),
            name,
            code,
            path,
        }
    }

    /// Whether it ends as its name says: what is amiss.
    fn judge(&self, answer: &Value, expected: &Expected) -> Result<(), String> {
        let code = answer["code"].as_str().unwrap_or(ACCEPTED);
        if code != self.code {
            return Err(format!("{}.{}: {answer}", self.name, self.code));
        }
        if code != ACCEPTED {
            return Ok(());
        }
        let identity = &answer["identity"];
        let subject = expected.subject.as_deref().unwrap_or(ADA);
        let email = expected.email.as_deref();
        let attributes = expected.attributes.iter().flatten();
        let told = identity["subject"] == subject
            && email.is_none_or(|email| identity["email"].as_str().unwrap_or_default() == email)
            && attributes
                .into_iter()
                .all(|(name, values)| identity["attributes"][name] == json!(values));
        told.then_some(())
            .ok_or(format!("{}: asserts {identity}", self.name))
    }
}

/// Runs `fedgate saml verify` over a response in base64, as a browser posts it, and nothing on stderr.
fn verify(trusted: [&str; 2], response: &Path) -> Value {
    let here = tempfile::tempdir().expect("a folder");
    let octets = std::fs::read(response).expect("a response");
    std::fs::write(here.path().join("response"), STANDARD.encode(octets)).expect("a file");
    let ours = key_file("sp.key.pem");
    let line = format!(
        "saml verify {} {} --sp-key {ours} --sp-entity-id urn:sp --acs https://sp.example/acs --in-response-to _request --at {AT} response",
        trusted[0], trusted[1]
    );
    let ran = run(here.path(), &line.split(' ').collect::<Vec<_>>(), &[]);
    assert_eq!(ran.stderr, "", "{}", response.display());
    serde_json::from_str(&ran.stdout).expect("one JSON object")
}

fn key_file(name: &str) -> String {
    let path = folder("../keys").join(name);
    path.canonicalize()
        .expect("a key")
        .to_string_lossy()
        .into_owned()
}

#[test]
fn each_response_ends_as_its_name_says() {
    let (metadata, expected) = (key_file("idp.metadata.xml"), expected());
    let (mut amiss, nothing, mut known) = (Vec::new(), Expected::default(), BTreeSet::new());
    for fixture in fixtures("response") {
        let beyond = expected.get(&fixture.name);
        known.extend(beyond.map(|_| fixture.name.clone()));
        let beyond = beyond.unwrap_or(&nothing);
        let answer = match &beyond.trusted {
            None => verify(["--metadata", &metadata], &fixture.path),
            Some(name) => {
                let certificate = key_file(&format!("{name}.cert.pem"));
                verify(["--idp-cert", &certificate], &fixture.path)
            }
        };
        match fixture.judge(&answer, beyond) {
            Ok(()) => proved!(fixture.number, &fixture.code),
            Err(why) => amiss.push(why),
        }
    }
    assert!(amiss.is_empty(), "{}", amiss.join("\n"));
    assert_eq!(known.len(), expected.len(), "all expectations are of use");
}

#[test]
fn the_genuine_response_under_each_metadata_ends_as_its_name_says() {
    let genuine = fixtures("response")
        .into_iter()
        .find(|fixture| fixture.name == "055-expired-certificate-carried")
        .expect("a genuine response");
    let mut amiss = Vec::new();
    for fixture in fixtures("metadata") {
        let metadata = fixture.path.canonicalize().expect("a path");
        let answer = verify(["--metadata", &metadata.to_string_lossy()], &genuine.path);
        match fixture.judge(&answer, &Expected::default()) {
            Ok(()) => proved!(fixture.number, &fixture.code),
            Err(why) => amiss.push(why),
        }
    }
    assert!(amiss.is_empty(), "{}", amiss.join("\n"));
}
