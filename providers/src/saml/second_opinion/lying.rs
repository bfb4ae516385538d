//! An opinion that a test asks for by `FEDGATE_SECOND_OPINION`.

use std::sync::LazyLock;

use fedgate_certs::trust::Trust;

use super::{Oracle, PATIENCE};

/// The one that was asked for, if any.
pub(super) fn oracle() -> Option<Oracle> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test's wish, compiled in by lying-oracle only"
    )]
    static WISH: LazyLock<Option<String>> =
        LazyLock::new(|| std::env::var("FEDGATE_SECOND_OPINION").ok());
    match WISH.as_deref() {
        Some("differs") => Some(differs),
        Some("refuses") => Some(refuses),
        Some("is late") => Some(is_late),
        _ => None,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "an Oracle may also find nothing")]
fn differs(document: &[u8], _trust: &Trust) -> Result<Vec<u8>, String> {
    Ok(document.to_vec())
}

fn refuses(_document: &[u8], _trust: &Trust) -> Result<Vec<u8>, String> {
    Err("nobody signed it".to_owned())
}

fn is_late(_document: &[u8], _trust: &Trust) -> Result<Vec<u8>, String> {
    std::thread::sleep(2 * PATIENCE);
    Err("too late".to_owned())
}
