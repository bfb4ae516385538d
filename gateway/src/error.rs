//! From a refusal to what somebody sees: the page of a person, the status of an answer, the line in the log.

use axum::response::Response;
use fedgate_providers::error::{Blame, Catalogued, Refusal};
use fedgate_providers::refusals;
use http::{HeaderMap, StatusCode, header};

use crate::page::{self, Language, RefusedPage};
use crate::telemetry::request::Told;

refusals! {
    /// What the gateway itself cannot do.
    pub enum GatewayRefusal in "gateway" {
        /// A sealed secret cannot be opened with the master key.
        SecretUnreadable = "secret_unreadable", Operator,
            says "This way to sign in is not available.",
            fix "Put back the master key under which the secret was sealed, or write the connection's secret anew.";
        /// No page has this address.
        NotFound = "not_found", Browser,
            says "There is no page at this address.",
            fix "Check the address: the paths of this service are listed in its documentation.";
        /// The address exists, but not for this HTTP method: an upstream that answers by GET where a POST is due, for one.
        MethodNotAllowed = "method_not_allowed", Upstream,
            says "The identity provider's answer came in a way that is not accepted here.",
            fix "Set the binding of {acs} to HTTP-POST.";
        /// So many attempts from this network address, at this connection or of this client were refused within a minute that further ones are not looked at until it ends.
        RateLimited = "rate_limited", Browser,
            says "Too many attempts from here have failed.",
            fix "Wait as long as Retry-After says. Where all requests seem to come from one address, add the proxy in front to [server] trusted_proxies; the limits are named refused_… under [limits].";
    }
}

/// Ways on from a refusal, where a validated request leads to some.
#[derive(Debug, Default)]
pub struct Ways {
    /// The application's name.
    pub application: Option<String>,
    /// Back to it, with an OAuth error: only ever the redirect URI of a validated request.
    pub back: Option<String>,
    /// The same sign-in from the start.
    pub again: Option<String>,
    /// `ui_locales` of the request.
    pub ui_locales: Option<String>,
}

/// The page that a person sees. `reference` is the one under which the trace is kept.
pub fn page(headers: &HeaderMap, refusal: &Refusal, reference: &str, ways: &Ways) -> Response {
    let entry = refusal.entry();
    let mut answer = page::refused(&RefusedPage {
        says: entry.says,
        code: entry.code,
        reference,
        status: status(entry),
        application: ways.application.as_deref(),
        application_url: ways.back.as_deref(),
        start_again: ways.again.as_deref(),
        language: language(headers, ways.ui_locales.as_deref()),
    });
    Told::refused(&mut answer, refusal, Some(reference));
    answer
}

/// The language of a page: the application's `ui_locales`, then the browser's.
pub fn language(headers: &HeaderMap, ui_locales: Option<&str>) -> Language {
    let accepted = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    Language::choose(ui_locales, accepted)
}

/// The HTTP status of a page about a refusal.
pub fn status(entry: &Catalogued) -> StatusCode {
    match (entry.code, entry.blame) {
        ("gateway.not_found" | "setup.link_unknown", _) => StatusCode::NOT_FOUND,
        ("gateway.rate_limited", _) => StatusCode::TOO_MANY_REQUESTS,
        ("gateway.method_not_allowed", _) => StatusCode::METHOD_NOT_ALLOWED,
        ("setup.link_used" | "setup.link_expired", _) => StatusCode::GONE,
        (
            "setup.session_missing"
            | "setup.session_ended"
            | "setup.cross_site"
            | "setup.form_unreadable",
            _,
        ) => StatusCode::FORBIDDEN,
        (code, _) if code.starts_with("setup.") => StatusCode::UNPROCESSABLE_ENTITY,
        ("login.body_unreadable", _) => StatusCode::PAYLOAD_TOO_LARGE,
        ("login.too_many_pending", _) | (_, Blame::Gateway) => StatusCode::SERVICE_UNAVAILABLE,
        (code, _) if code.starts_with("people.") => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_REQUEST,
    }
}
