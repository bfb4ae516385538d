//! Every path of the gateway, and what surrounds every answer.

use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use fedgate_providers::error::Refusal;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use percent_encoding::percent_decode_str;
use serde_json::json;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use crate::app::Shared;
use crate::error::{self, GatewayRefusal, Ways};
use crate::events::trace::new_reference;
use crate::op::OpRefusal;
use crate::{login, logout, management, op, page, telemetry};

/// The gateway as one service.
pub fn router(app: Shared) -> Router {
    let limits = app.limits.clone();
    let browsers = Router::new()
        .merge(op::routes())
        .merge(logout::routes())
        .layer(RequestBodyLimitLayer::new(limits.form_bytes))
        .layer(middleware::from_fn_with_state(app.clone(), tell_size));
    // An upstream's answer that is too large ends a login, and is traced as one.
    let logins = login::routes().layer(DefaultBodyLimit::max(limits.form_bytes));
    // They tell how busy the gateway is: where they have an address of their own, nobody reads them here.
    let metrics = match app.config.telemetry.metrics_listen {
        None => telemetry::routes(),
        Some(_) => Router::new(),
    };
    Router::new()
        .merge(browsers)
        .merge(logins)
        .merge(management::routes(&app))
        .merge(page::routes())
        .merge(metrics)
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(app.clone(), protect))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            Duration::from_secs(limits.request_seconds),
        ))
        .layer(CatchPanicLayer::new())
        .with_state(app)
}

async fn ready(State(app): State<Shared>) -> Response {
    let store = app.store.ping().await.is_ok();
    let ephemeral = app.ephemeral.ping().await.is_ok();
    let status = if store && ephemeral {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let word = |answers| if answers { "ok" } else { "unavailable" };
    (
        status,
        Json(json!({ "store": word(store), "ephemeral": word(ephemeral) })),
    )
        .into_response()
}

async fn not_found(State(app): State<Shared>, uri: Uri, headers: HeaderMap) -> Response {
    unknown_path(&app, uri.path(), &headers)
}

fn unknown_path(app: &Shared, path: &str, headers: &HeaderMap) -> Response {
    if path == "/api" || path.starts_with("/api/") {
        return management::unknown_path();
    }
    refuse(app, headers, &GatewayRefusal::NotFound.into())
}

async fn method_not_allowed(State(app): State<Shared>, headers: HeaderMap) -> Response {
    refuse(&app, &headers, &GatewayRefusal::MethodNotAllowed.into())
}

/// A body beyond the limit is told with a code as everything else is: on a page to browsers, in JSON to applications.
async fn tell_size(State(app): State<Shared>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    let (path, headers) = (request.uri().path().to_owned(), request.headers().clone());
    let answer = next.run(request).await;
    if answer.status() != StatusCode::PAYLOAD_TOO_LARGE {
        return answer;
    }
    let expected = format!("at most {} bytes", app.limits.form_bytes);
    let refusal = OpRefusal::RequestTooLarge.refuse().expected(expected);
    if path == op::TOKEN_PATH {
        return op::refused(&refusal);
    }
    let mut page = refuse(&app, &headers, &refusal);
    *page.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
    page
}

fn refuse(app: &Shared, headers: &HeaderMap, refusal: &Refusal) -> Response {
    let reference = new_reference(&mut app.randomness.rng());
    error::page(headers, refusal, &reference, &Ways::default())
}

/// Headers of every answer. Browsers apply `form-action` to the redirects after a form as well, and an identity
/// provider may be anywhere: so any https address is allowed (and http, where the site itself is on loopback).
async fn protect(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    // No path of ours holds octets that are not UTF-8, and a path's parameters are texts.
    let mut answer = match percent_decode_str(path).decode_utf8() {
        Ok(_) => next.run(request).await,
        Err(_) => unknown_path(&app, path, request.headers()),
    };
    let policy = if app.site.is_https() {
        POLICY_HTTPS
    } else {
        POLICY_HTTP
    };
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    if app.site.is_https() {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    answer
}

const POLICY_HTTPS: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
    form-action 'self' https:; frame-ancestors 'none'; base-uri 'none'";
const POLICY_HTTP: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
    form-action 'self' https: http:; frame-ancestors 'none'; base-uri 'none'";
