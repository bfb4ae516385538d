//! Which error codes a test run produced through the public interface: one empty file a code, since tests are
//! processes of their own. `codes-covered` compares them with the catalogue.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::LazyLock;

/// Every code of the catalogue.
static CODES: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
    fedgate::error::catalogue()
        .into_iter()
        .map(|entry| entry.code)
        .collect()
});

/// Notes every code in an answer of the gateway: a page, a redirect, JSON, or a command's output.
pub fn note(text: &str) {
    for word in text
        .split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.'))
    {
        let word = word.trim_matches('.');
        if let Some(code) = CODES.get(word) {
            let folder = folder();
            let _ = std::fs::create_dir_all(&folder);
            let _ = std::fs::write(folder.join(code), "");
        }
    }
}

/// The codes of the catalogue that no test has produced since the folder was emptied.
pub fn missing() -> Vec<&'static str> {
    CODES
        .iter()
        .filter(|code| !folder().join(code).exists())
        .copied()
        .collect()
}

/// Empties the folder, before a run.
pub fn forget() {
    let _ = std::fs::remove_dir_all(folder());
}

fn folder() -> PathBuf {
    let target = option_env!("CARGO_TARGET_DIR").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target")),
        PathBuf::from,
    );
    target.join("codes-seen")
}
