//! Every path of the gateway, and what surrounds every answer.

use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use fedgate_providers::error::Refusal;
use http::{HeaderMap, Method, StatusCode, Uri};
use percent_encoding::percent_decode_str;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use crate::app::Shared;
use crate::error::{self, GatewayRefusal, Ways};
use crate::events::trace::new_reference;
use crate::op::OpRefusal;
use crate::telemetry::request;
use crate::throttle::guard;
use crate::{headers, health, login, logout, management, op, page, setup, telemetry};

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
        .merge(setup::routes())
        .merge(metrics)
        .merge(health::routes())
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(app.clone(), guard::watch))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            Duration::from_secs(limits.request_seconds),
        ))
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn_with_state(app.clone(), protect))
        .layer(middleware::from_fn_with_state(app.clone(), request::watch))
        .with_state(app)
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

/// Surrounds every answer.
async fn protect(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    // No path of ours holds octets that are not UTF-8, and a path's parameters are texts.
    let mut answer = match percent_decode_str(&path).decode_utf8() {
        Ok(_) => next.run(request).await,
        Err(_) => unknown_path(&app, &path, request.headers()),
    };
    headers::protect(&app.site, &path, &mut answer);
    answer
}
