//! What can stop the lab.

use fedgate::config::ConfigErrors;
use fedgate::serve::ServeError;
use openssl::error::ErrorStack;
use thiserror::Error;

/// Why a part of the lab does not start, or a scene was not played to its end.
#[derive(Debug, Error)]
pub enum LabError {
    /// OpenSSL.
    #[error("OpenSSL: {0}")]
    Crypto(#[from] ErrorStack),
    /// A file or a socket.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// A call to another part of the lab or to the gateway.
    #[error("a call over loopback failed: {0}")]
    Http(#[from] reqwest::Error),
    /// The gateway's configuration.
    #[error("{0}")]
    Config(#[from] ConfigErrors),
    /// The gateway.
    #[error("{0}")]
    Gateway(#[from] ServeError),
    /// Someone answered something else than the lab counts on.
    #[error("{what}: {found}")]
    Unexpected {
        /// What was done.
        what: &'static str,
        /// What came back.
        found: String,
    },
}

impl LabError {
    /// Something else came back than was counted on.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "reads better where it is called"
    )]
    pub fn unexpected(what: &'static str, found: impl ToString) -> Self {
        Self::Unexpected {
            what,
            found: found.to_string(),
        }
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "reads better where it is called"
    )]
    pub(crate) fn io(what: impl ToString) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.to_string();
        move |source| Self::Io { what, source }
    }
}
