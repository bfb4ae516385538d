//! The parts of a login whose time is told apart.

use std::time::Instant;

use tracing::{Instrument as _, Span, info_span};

use super::{Metrics, SPANS};

/// A part of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Choosing the way and writing the request to the upstream, up to the redirect.
    Begin,
    /// What the upstream sent is verified, calls to it included.
    Verification,
    /// The sign-in transaction, the wait for it included.
    SignIn,
}

impl Part {
    /// Every part, as its label.
    pub(super) const ALL: [Self; 3] = [Self::Begin, Self::Verification, Self::SignIn];

    /// The label.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::Verification => "verification",
            Self::SignIn => "sign_in",
        }
    }

    /// A span's name is a constant of the place that makes it.
    fn span(self) -> Span {
        match self {
            Self::Begin => info_span!(target: SPANS, "begin"),
            Self::Verification => info_span!(target: SPANS, "verification"),
            Self::SignIn => info_span!(target: SPANS, "sign_in"),
        }
    }
}

impl Metrics {
    /// Does a part of a login and measures how long it takes.
    pub async fn timed<T>(&self, part: Part, work: impl Future<Output = T>) -> T {
        let began = Instant::now();
        let done = work.instrument(part.span()).await;
        self.part_took(part, began.elapsed());
        done
    }
}
