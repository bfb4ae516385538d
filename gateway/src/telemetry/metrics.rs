//! Counters and histograms since the start of the process.

use std::time::Duration;

use http::{Method, StatusCode};
use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{
    Error, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry,
};

use super::Part;
use super::label::{self, Connections};
use crate::limits::Limits;

/// The code of logins that succeeded.
const SUCCEEDED: &str = "ok";
/// Upper bounds of what one request takes, in seconds.
const REQUEST_SECONDS: [f64; 12] = [
    0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0, 45.0,
];
/// Upper bounds of the parts of a login, in seconds.
const PART_SECONDS: [f64; 12] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0,
];
/// Upper bounds of a call to an upstream, which ends after ten seconds.
const UPSTREAM_SECONDS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// What is counted. Labels are codes, strategies, templates of paths and connections up to a limit: there are only so many.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    connections: Connections,
    logins: IntCounterVec,
    requests: HistogramVec,
    parts: [Histogram; Part::ALL.len()],
    upstream: HistogramVec,
    limited: IntCounterVec,
    ephemeral_errors: IntCounter,
    untrusted_forwarding: IntCounter,
    exports: IntCounterVec,
}

impl Metrics {
    /// All at nought.
    ///
    /// # Errors
    /// None, as long as names are distinct and well-formed.
    pub fn new(limits: &Limits) -> Result<Self, Error> {
        let registry = Registry::new();
        let made = Made(&registry);
        let parts = made.histogram(
            "fedgate_login_part_duration_seconds",
            "Time of a login's parts: begin, verification (calls to the upstream included), sign_in (the transaction).",
            &PART_SECONDS,
            &["part"],
        )?;
        Ok(Self {
            connections: Connections::new(limits.metric_connections),
            logins: made.counter(
                "fedgate_logins_total",
                "Logins that ended, by connection, strategy and the code of their refusal, or ok.",
                &["connection", "strategy", "code"],
            )?,
            requests: made.histogram(
                "fedgate_http_request_duration_seconds",
                "Time from a request's headers to its answer's, by template of the path.",
                &REQUEST_SECONDS,
                &["route", "method", "status"],
            )?,
            parts: Part::ALL.map(|part| parts.with_label_values(&[part.as_str()])),
            upstream: made.histogram(
                "fedgate_upstream_call_duration_seconds",
                "Time of calls to upstreams, by what was asked and the code of the failure, or ok.",
                &UPSTREAM_SECONDS,
                &["asked", "outcome"],
            )?,
            limited: made.counter(
                "fedgate_rate_limited_requests_total",
                "Requests that were answered with 429, by limit.",
                &["limit"],
            )?,
            ephemeral_errors: made.single(
                "fedgate_ephemeral_errors_total",
                "Attempts that the ephemeral store could not count: it is full or down.",
            )?,
            untrusted_forwarding: made.single(
                "fedgate_untrusted_forwarding_requests_total",
                "Requests with X-Forwarded-For or Forwarded from an address that is not in trusted_proxies.",
            )?,
            exports: made.counter(
                "fedgate_span_exports_total",
                "Batches of spans sent to the collector, by outcome.",
                &["outcome"],
            )?,
            registry,
        })
    }

    /// Counts a login that ended: with the code of its refusal, or well. `connection` is one that exists: its id and strategy.
    pub fn login_ended(&self, connection: Option<(&str, &str)>, code: Option<&'static str>) {
        let (id, strategy) = connection.unzip();
        let labels = [
            self.connections.label(id),
            strategy.unwrap_or_default(),
            code.unwrap_or(SUCCEEDED),
        ];
        self.logins.with_label_values(&labels).inc();
    }

    /// Measures an answered request. `route` is the template of its path, none where no path matched.
    pub fn request_answered(
        &self,
        (route, method): (Option<&str>, &Method),
        status: StatusCode,
        took: Duration,
    ) {
        let labels = [
            route.unwrap_or("none"),
            label::method(method),
            label::status(status),
        ];
        let request = self.requests.with_label_values(&labels);
        request.observe(took.as_secs_f64());
    }

    /// Measures a part of a login.
    pub fn part_took(&self, part: Part, took: Duration) {
        self.parts[part as usize].observe(took.as_secs_f64());
    }

    /// Measures a call to an upstream. `outcome` is the code of its failure, or none.
    pub fn upstream_called(
        &self,
        asked: &'static str,
        outcome: Option<&'static str>,
        took: Duration,
    ) {
        let labels = [asked, outcome.unwrap_or(SUCCEEDED)];
        let call = self.upstream.with_label_values(&labels);
        call.observe(took.as_secs_f64());
    }

    /// Counts a request that a limit turned away.
    pub fn limited(&self, limit: &'static str) {
        self.limited.with_label_values(&[limit]).inc();
    }

    /// Counts an attempt that the ephemeral store did not count.
    pub fn uncounted(&self) {
        self.ephemeral_errors.inc();
    }

    /// Counts a request whose sender claims to forward and is not trusted to; answers whether it is the first.
    pub fn forwarding_untrusted(&self) -> bool {
        self.untrusted_forwarding.inc();
        self.untrusted_forwarding.get() == 1
    }

    /// Counts a batch of spans that was sent, or could not be.
    pub fn exported(&self, outcome: &'static str) {
        self.exports.with_label_values(&[outcome]).inc();
    }

    /// What was counted so far.
    pub(super) fn families(&self) -> Vec<MetricFamily> {
        self.registry.gather()
    }
}

/// Makes metrics and registers them.
struct Made<'r>(&'r Registry);

impl Made<'_> {
    fn single(&self, name: &str, help: &str) -> Result<IntCounter, Error> {
        self.kept(IntCounter::new(name, help)?)
    }

    fn counter(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, Error> {
        self.kept(IntCounterVec::new(Opts::new(name, help), labels)?)
    }

    fn histogram(
        &self,
        name: &str,
        help: &str,
        bounds: &[f64],
        labels: &[&str],
    ) -> Result<HistogramVec, Error> {
        let options = HistogramOpts::new(name, help).buckets(bounds.to_vec());
        self.kept(HistogramVec::new(options, labels)?)
    }

    fn kept<M: Collector + Clone + 'static>(&self, metric: M) -> Result<M, Error> {
        self.0.register(Box::new(metric.clone()))?;
        Ok(metric)
    }
}

#[cfg(test)]
mod tests {
    use prometheus::TextEncoder;

    use super::*;

    fn text(metrics: &Metrics) -> String {
        TextEncoder::new()
            .encode_to_string(&metrics.families())
            .unwrap()
    }

    #[test]
    fn logins_are_counted_by_connection_strategy_and_code() {
        let limits = Limits {
            metric_connections: 1,
            ..Limits::default()
        };
        let metrics = Metrics::new(&limits).unwrap();
        metrics.login_ended(Some(("conn_a", "saml:okta")), None);
        metrics.login_ended(Some(("conn_a", "saml:okta")), None);
        metrics.login_ended(Some(("conn_b", "oidc:okta")), Some("oidc.expired"));
        metrics.login_ended(None, Some("op.client_unknown"));
        let text = text(&metrics);
        for line in [
            "fedgate_logins_total{code=\"ok\",connection=\"conn_a\",strategy=\"saml:okta\"} 2\n",
            "fedgate_logins_total{code=\"oidc.expired\",connection=\"other\",strategy=\"oidc:okta\"} 1\n",
            "fedgate_logins_total{code=\"op.client_unknown\",connection=\"none\",strategy=\"\"} 1\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }

    /// The cost on the hot path: what one login adds, two requests of its own and two of the application's included.
    #[test]
    fn a_login_costs_microseconds_at_most() {
        const LOGINS: u32 = 100_000;
        let metrics = Metrics::new(&Limits::default()).unwrap();
        let took = Duration::from_micros(300);
        let began = std::time::Instant::now();
        for _ in 0..LOGINS {
            metrics.login_ended(Some(("conn_0123456789abcdef", "saml:okta")), None);
            for part in Part::ALL {
                metrics.part_took(part, took);
            }
            for route in ["/oauth2/auth", "/saml/{connection_id}/acs", "/oauth2/token"] {
                let request = (Some(route), &Method::POST);
                metrics.request_answered(request, StatusCode::OK, took);
            }
        }
        let each = began.elapsed() / LOGINS;
        println!("metrics: {each:?} a login");
        assert!(each < Duration::from_micros(100), "{each:?}");
    }
}
