//! The stylesheet, the script and the drawings, inside the binary and cached for ever under their own hash.

use axum::Router;
use axum::extract::RawQuery;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// The one stylesheet of all pages.
pub const STYLESHEET: &str = include_str!("../../assets/fedgate.css");
/// The one script: copy buttons, and forms that post themselves.
pub const SCRIPT: &str = include_str!("../../assets/fedgate.js");
const ICONS: &str = include_str!("../../assets/icons.svg");
const LOGO: &str = include_str!("../../assets/logo.svg");

/// Changes whenever an asset does, so that a cached copy is never a stale one.
pub(super) const VERSION: u64 = version();

/// `/assets/…`, for merging into any router.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let asset = |media_type, body| get(async move |query| serve(query, media_type, body));
    Router::new()
        .route(
            "/assets/fedgate.css",
            asset("text/css; charset=utf-8", STYLESHEET),
        )
        .route(
            "/assets/fedgate.js",
            asset("text/javascript; charset=utf-8", SCRIPT),
        )
        .route("/assets/icons.svg", asset("image/svg+xml", ICONS))
        .route("/assets/logo.svg", asset("image/svg+xml", LOGO))
}

/// Only the address with this build's hash may be kept for ever: during an upgrade another build may answer.
fn serve(RawQuery(query): RawQuery, media_type: &'static str, body: &'static str) -> Response {
    let current = query.is_some_and(|query| query == format!("v={VERSION:016x}"));
    let caching = if current {
        "public, max-age=31536000, immutable"
    } else {
        "public, max-age=300"
    };
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, caching),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, body).into_response()
}

const fn version() -> u64 {
    let mut hash = FNV_OFFSET;
    hash = fnv1a(hash, STYLESHEET.as_bytes());
    hash = fnv1a(hash, SCRIPT.as_bytes());
    hash = fnv1a(hash, ICONS.as_bytes());
    fnv1a(hash, LOGO.as_bytes())
}

/// FNV-1a: tells builds apart, guards nothing.
const fn fnv1a(mut hash: u64, bytes: &[u8]) -> u64 {
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(FNV_PRIME);
        at += 1;
    }
    hash
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;
