//! Named points of the login line at which a test may end the process.
//!
//! With the feature `crash-points`, the process aborts at the point that `FEDGATE_CRASH_AT` names. Without it,
//! nothing of this remains in the program.

/// Ends the process if a test asked for it here.
#[cfg(feature = "crash-points")]
pub fn here(point: &str) {
    use std::sync::LazyLock;
    #[expect(
        clippy::disallowed_methods,
        reason = "a test's wish, compiled in by crash-points only"
    )]
    static AT: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("FEDGATE_CRASH_AT").ok());
    if AT.as_deref() == Some(point) {
        std::process::abort();
    }
}

/// Nothing, without the feature `crash-points`.
#[cfg(not(feature = "crash-points"))]
#[inline]
pub fn here(_point: &str) {}
