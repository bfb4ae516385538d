//! What operators watch: counters in Prometheus' text format.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::header::CONTENT_TYPE;

use crate::app::Shared;

/// The text exposition format.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";
/// The label of logins that succeeded.
const SUCCEEDED: &str = "ok";

/// Counters since the start of the process. Labels are codes of the catalogue, so that there are only so many.
#[derive(Debug, Default)]
pub struct Metrics {
    logins: Mutex<BTreeMap<&'static str, u64>>,
}

impl Metrics {
    /// Counts a login that ended: with the code of its refusal, or well.
    pub fn login_ended(&self, code: Option<&'static str>) {
        let mut logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        *logins.entry(code.unwrap_or(SUCCEEDED)).or_default() += 1;
    }

    /// Every counter, in the text exposition format.
    pub fn text(&self, traces_dropped: u64) -> String {
        let mut text = String::from(
            "# HELP fedgate_logins_total Logins that ended, by the code of their refusal, or ok.\n\
             # TYPE fedgate_logins_total counter\n",
        );
        let logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        for (code, count) in logins.iter() {
            let _ = writeln!(text, "fedgate_logins_total{{code=\"{code}\"}} {count}");
        }
        let _ = write!(
            text,
            "# HELP fedgate_traces_dropped_total Traces that were not kept.\n\
             # TYPE fedgate_traces_dropped_total counter\n\
             fedgate_traces_dropped_total {traces_dropped}\n"
        );
        text
    }
}

/// `/metrics`
pub fn routes() -> Router<Shared> {
    Router::new().route("/metrics", get(metrics))
}

async fn metrics(State(app): State<Shared>) -> Response {
    let text = app.metrics.text(app.traces.dropped());
    ([(CONTENT_TYPE, TEXT_FORMAT)], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_counted_by_code() {
        let metrics = Metrics::default();
        metrics.login_ended(None);
        metrics.login_ended(None);
        metrics.login_ended(Some("saml.expired"));
        let text = metrics.text(7);
        for line in [
            "fedgate_logins_total{code=\"ok\"} 2\n",
            "fedgate_logins_total{code=\"saml.expired\"} 1\n",
            "\nfedgate_traces_dropped_total 7\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }
}
