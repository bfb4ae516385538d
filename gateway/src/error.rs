//! From a refusal to what somebody sees: the page of a person, the status of an answer, the line in the log.

use axum::response::Response;
use fedgate_providers::error::{Blame, Catalogued, Refusal};
use fedgate_providers::login::Site;
use fedgate_providers::refusals;
use http::{HeaderMap, StatusCode, header};

use crate::app::App;
use crate::config::ConfigRefusal;
use crate::login::{LoginRefusal, continued};
use crate::logout::LogoutRefusal;
use crate::management::ApiRefusal;
use crate::op::refusal::OpRefusal;
use crate::op::{self, AuthorizeRequest};
use crate::page::{self, Language, RefusedPage};
use crate::people::PeopleRefusal;
use crate::routing::RouteRefusal;
use crate::store::StoreRefusal;

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
    }
}

/// Every refusal that exists, area by area: the source of `docs/errors.md`.
pub fn catalogue() -> Vec<&'static Catalogued> {
    use fedgate_providers::{connection, egress, oauth, oidc, saml};
    let areas: [Vec<&'static Catalogued>; 15] = [
        of(
            connection::ConnectionRefusal::ALL,
            connection::ConnectionRefusal::entry,
        ),
        of(saml::MetadataRefusal::ALL, saml::MetadataRefusal::entry),
        of(saml::SamlRefusal::ALL, saml::SamlRefusal::entry),
        of(oauth::OauthRefusal::ALL, oauth::OauthRefusal::entry),
        of(oidc::OidcRefusal::ALL, oidc::OidcRefusal::entry),
        of(egress::EgressRefusal::ALL, egress::EgressRefusal::entry),
        of(RouteRefusal::ALL, RouteRefusal::entry),
        of(LoginRefusal::ALL, LoginRefusal::entry),
        of(PeopleRefusal::ALL, PeopleRefusal::entry),
        of(OpRefusal::ALL, OpRefusal::entry),
        of(LogoutRefusal::ALL, LogoutRefusal::entry),
        of(ApiRefusal::ALL, ApiRefusal::entry),
        of(ConfigRefusal::ALL, ConfigRefusal::entry),
        of(StoreRefusal::ALL, StoreRefusal::entry),
        of(GatewayRefusal::ALL, GatewayRefusal::entry),
    ];
    areas.concat()
}

fn of<T: Copy>(all: &'static [T], entry: fn(T) -> &'static Catalogued) -> Vec<&'static Catalogued> {
    all.iter().map(|leaf| entry(*leaf)).collect()
}

/// The catalogue entry of a code.
pub fn catalogued(code: &str) -> Option<&'static Catalogued> {
    catalogue().into_iter().find(|entry| entry.code == code)
}

/// What is known when a login is refused.
#[derive(Debug, Default)]
pub struct Circumstances<'a> {
    /// The reference under which the trace is kept.
    pub reference: &'a str,
    /// The validated request, if it could be opened: the way back.
    pub request: Option<&'a AuthorizeRequest>,
}

/// The page that a person sees. The way back leads only to the redirect URI of a validated request.
pub fn page(
    app: &App,
    site: &Site,
    headers: &HeaderMap,
    refusal: &Refusal,
    circumstances: &Circumstances<'_>,
) -> Response {
    let entry = refusal.entry();
    let language = language(headers, circumstances.request);
    let back = circumstances.request.map(|request| {
        let description = format!("{}: {}", entry.code, entry.says);
        op::authorize::error_location(site, request, oauth_error(refusal), &description)
    });
    let again = circumstances
        .request
        .and_then(|request| continued::again_url(app, site, request));
    page::refused(&RefusedPage {
        says: entry.says,
        code: entry.code,
        reference: circumstances.reference,
        status: status(entry),
        application: circumstances
            .request
            .map(|request| request.client_id.as_str()),
        application_url: back.as_deref(),
        start_again: again.as_deref(),
        language,
    })
}

/// The language of a page: the application's `ui_locales`, then the browser's.
pub fn language(headers: &HeaderMap, request: Option<&AuthorizeRequest>) -> Language {
    let accepted = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    Language::choose(
        request.and_then(|request| request.ui_locales.as_deref()),
        accepted,
    )
}

/// The OAuth error (RFC 6749 4.1.2.1, OpenID Connect Core 3.1.2.6) that stands for a refusal.
pub fn oauth_error(refusal: &Refusal) -> &'static str {
    match (refusal.code(), refusal.entry().blame) {
        ("route.connection_not_enabled" | "route.organization_unknown", _) => "invalid_request",
        ("oauth.interaction_required", _) => "interaction_required",
        (code, _)
            if code.ends_with("authentication_too_old") || code.ends_with("authn_too_old") =>
        {
            "login_required"
        }
        (code, _) if code.ends_with("acr_mismatch") || code.ends_with("authn_context_mismatch") => {
            "unmet_authentication_requirements"
        }
        (_, Blame::Gateway) => "temporarily_unavailable",
        _ => "access_denied",
    }
}

/// The HTTP status of a page about a refusal.
pub fn status(entry: &Catalogued) -> StatusCode {
    match (entry.code, entry.blame) {
        ("gateway.not_found", _) => StatusCode::NOT_FOUND,
        ("gateway.method_not_allowed", _) => StatusCode::METHOD_NOT_ALLOWED,
        ("login.body_unreadable", _) => StatusCode::PAYLOAD_TOO_LARGE,
        ("login.too_many_pending", _) | (_, Blame::Gateway) => StatusCode::SERVICE_UNAVAILABLE,
        (code, _) if code.starts_with("people.") => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_REQUEST,
    }
}
