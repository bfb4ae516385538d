//! Which error codes a test run produced through the public interface: one empty file a code, since tests are
//! processes of their own. `codes-covered` compares them with the catalogue.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::LazyLock;

use serde_json::Value;

/// Every code of the catalogue.
static CODES: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
    fedgate::catalogue::catalogue()
        .into_iter()
        .map(|entry| entry.code)
        .collect()
});

/// Notes every code with which the gateway refused: on a page, in a redirect, in JSON, or in a command's output. Of JSON
/// only the members that hold codes count, since evidence may name others.
pub fn note(text: &str) {
    let codes = match serde_json::from_str(text) {
        Ok(json) => codes_of_json(&json),
        Err(_) => codes(text),
    };
    for code in codes {
        let folder = folder();
        let _ = std::fs::create_dir_all(&folder);
        let _ = std::fs::write(folder.join(code), "");
    }
}

/// The codes that the members `code` and `error_description` hold, however deep.
pub fn codes_of_json(json: &Value) -> BTreeSet<&'static str> {
    match json {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| match (name.as_str(), value) {
                ("code", Value::String(text)) => codes(text),
                ("error_description", Value::String(text)) => {
                    codes(text.split(':').next().unwrap_or_default())
                }
                (_, value) => codes_of_json(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(codes_of_json).collect(),
        _ => BTreeSet::new(),
    }
}

/// The codes in a text, each once.
pub fn codes(text: &str) -> BTreeSet<&'static str> {
    text.split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.'))
        .filter_map(|word| CODES.get(word.trim_matches('.')).copied())
        .collect()
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

/// Where this build puts what it makes.
pub(crate) fn target() -> PathBuf {
    option_env!("CARGO_TARGET_DIR").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target")),
        PathBuf::from,
    )
}

fn folder() -> PathBuf {
    target().join("codes-seen")
}
