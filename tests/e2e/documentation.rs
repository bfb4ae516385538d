//! What the documents say is what the code does.

use std::path::Path;

use fedgate_tests::{errors, explanations};

#[test]
fn the_error_codes_are_documented_as_they_are() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors.md");
    let written = std::fs::read_to_string(path).expect("docs/errors.md");
    assert_eq!(
        written,
        errors::document(),
        "run `cargo run -p fedgate-tests --bin write-errors`"
    );
}

#[test]
fn the_troubles_of_each_identity_provider_are_documented_as_they_are_staged() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/TROUBLESHOOTING.md");
    let written = std::fs::read_to_string(path).expect("docs/TROUBLESHOOTING.md");
    assert_eq!(
        written,
        explanations::document(),
        "run `cargo run -p fedgate-tests --bin write-troubleshooting`"
    );
}

#[test]
fn no_two_refusals_share_a_code() {
    let mut codes: Vec<_> = fedgate::catalogue::catalogue()
        .iter()
        .map(|entry| entry.code)
        .collect();
    let all = codes.len();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), all);
}
