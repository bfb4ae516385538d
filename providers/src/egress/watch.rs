//! Whoever watches outbound calls is told of each: for metrics. Spans go to whoever subscribes to [`SPANS`].

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{Instrument as _, field, info_span};
use url::Url;

use crate::error::Refusal;

/// The target of the spans of requests, logins and outbound calls.
pub const SPANS: &str = "fedgate::spans";

/// One outbound call, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// What was asked: `metadata`, `discovery`, `keys`, `token` or `userinfo`.
    pub asked: &'static str,
    /// The code of the failure; none for an answer, whatever its status.
    pub outcome: Option<&'static str>,
    /// From the name's resolution to the last byte.
    pub took: Duration,
}

/// Is told of every call. It must not block.
#[derive(Clone, Default)]
pub(super) struct Watcher(Option<Arc<Watch>>);

type Watch = dyn Fn(Call) + Send + Sync;

impl Watcher {
    pub(super) fn new(watch: impl Fn(Call) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(watch)))
    }

    /// Does a call, measures it and tells of it. No header of the request says anything of the span: an upstream learns
    /// nothing of the operator's traces.
    pub(super) async fn told<T>(
        &self,
        (asked, url): (&'static str, &Url),
        call: impl Future<Output = Result<T, Refusal>>,
    ) -> Result<T, Refusal> {
        let span = info_span!(
            target: SPANS, "upstream",
            "otel.name" = asked,
            "otel.kind" = "client",
            "server.address" = url.host_str(),
            "error.type" = field::Empty,
        );
        let began = Instant::now();
        let answer = call.instrument(span.clone()).await;
        let outcome = answer.as_ref().err().map(Refusal::code);
        span.record("error.type", outcome);
        if let Some(watch) = &self.0 {
            watch(Call {
                asked,
                outcome,
                took: began.elapsed(),
            });
        }
        answer
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watcher")
    }
}
