//! What surrounds every request: whose it is, how long it took, one line of the log, one span.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use fedgate_providers::error::Refusal;
use http::{HeaderMap, Method};
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::{Instrument as _, Span, field, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::SPANS;
use crate::app::Shared;
use crate::client_address::{ClientAddress, Peer};

/// What an answer tells whoever watches: an extension of answers that a login or a refusal ended with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The reference on the page, under which a trace is kept.
    pub reference: Option<String>,
    /// Why it was refused.
    pub refusal: Option<Refusal>,
}

impl Told {
    /// Leaves a refusal with its answer.
    pub fn refused(answer: &mut Response, refusal: &Refusal, reference: Option<&str>) {
        answer.extensions_mut().insert(Self {
            reference: reference.map(str::to_owned),
            refusal: Some(refusal.clone()),
        });
    }

    /// Leaves the reference of a login that ended well.
    pub fn succeeded(answer: &mut Response, reference: String) {
        answer.extensions_mut().insert(Self {
            reference: Some(reference),
            refusal: None,
        });
    }

    /// The stable code.
    pub fn code(&self) -> Option<&'static str> {
        self.refusal.as_ref().map(Refusal::code)
    }
}

/// The middleware. Handlers find the [`ClientAddress`] among the request's extensions.
pub async fn watch(State(app): State<Shared>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let client = client_of(&app, &request);
    request.extensions_mut().insert(client);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map(MatchedPath::as_str);
    let span = span(route, &method, &client, request.headers());
    let answer = next.run(request).instrument(span.clone()).await;
    let took = began.elapsed();
    app.metrics
        .request_answered((route, &method), answer.status(), took);
    let told = answer.extensions().get::<Told>();
    let ended = Ended {
        status: answer.status().as_u16(),
        reference: told.and_then(|told| told.reference.as_deref()),
        code: told.and_then(Told::code),
    };
    finish(&span, &ended);
    log(route, &method, client.address, &ended, took);
    answer
}

/// How a request ended.
struct Ended<'t> {
    status: u16,
    reference: Option<&'t str>,
    code: Option<&'static str>,
}

fn client_of(app: &Shared, request: &Request) -> ClientAddress {
    let peer = request.extensions().get::<Peer>();
    let peer = peer.map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0.ip());
    let trusted = &app.config.server.trusted_proxies;
    let client = ClientAddress::of(peer, request.headers(), trusted);
    if client.claims_forwarding && app.metrics.forwarding_untrusted() {
        tracing::warn!(
            peer = %client.address,
            "a request claims to be forwarded by an address that is not in [server] trusted_proxies; limits count for that address"
        );
    }
    client
}

/// A span costs one look at a flag where nobody exports them. What a stranger sends continues no trace of the operator's.
fn span(route: Option<&str>, method: &Method, client: &ClientAddress, headers: &HeaderMap) -> Span {
    let span = info_span!(
        target: SPANS, "request",
        "otel.name" = route.unwrap_or("none"),
        "otel.kind" = "server",
        "http.request.method" = %method,
        "http.route" = route,
        "client.address" = %client.address,
        "http.response.status_code" = field::Empty,
        "fedgate.reference" = field::Empty,
        "fedgate.code" = field::Empty,
    );
    if client.through_proxy && !span.is_disabled() {
        let parent = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
        // Without a sound traceparent the parent is empty, and the span the first of its trace.
        let _ = span.set_parent(parent);
    }
    span
}

fn finish(span: &Span, ended: &Ended<'_>) {
    if span.is_disabled() {
        return;
    }
    span.record("http.response.status_code", ended.status);
    span.record("fedgate.reference", ended.reference);
    span.record("fedgate.code", ended.code);
}

/// The template in place of the path: a path may hold what nobody but its addressee should read.
fn log(route: Option<&str>, method: &Method, client: IpAddr, ended: &Ended<'_>, took: Duration) {
    let Ended {
        status,
        reference,
        code,
    } = ended;
    let milliseconds = took.as_secs_f64() * 1000.0;
    let is_routine = matches!(route, Some("/healthz" | "/readyz" | "/metrics"))
        || route.is_some_and(|route| route.starts_with("/assets/"));
    if is_routine {
        tracing::debug!(route, %method, status, milliseconds, %client, "request");
    } else {
        tracing::info!(route, %method, status, milliseconds, %client, reference, code, "request");
    }
}
