//! The ways on from a refused login: back to the application with an OAuth error, or the same sign-in from the start.

use fedgate_providers::error::{Blame, Refusal};
use fedgate_providers::login::Site;
use fedgate_providers::oauth::OauthRefusal;
use fedgate_providers::oidc::OidcRefusal;
use fedgate_providers::saml::SamlRefusal;

use super::continued;
use crate::app::App;
use crate::error::Ways;
use crate::op::AuthorizeRequest;
use crate::op::authorize::error_location;
use crate::routing::RouteRefusal;

/// The ways that a validated request leads to. Without one there is none: nothing else says where to.
pub async fn ways(
    app: &App,
    site: &Site,
    request: Option<&AuthorizeRequest>,
    refusal: &Refusal,
) -> Ways {
    let Some(request) = request else {
        return Ways::default();
    };
    let entry = refusal.entry();
    let description = format!("{}: {}", entry.code, entry.says);
    let application = app
        .store
        .application(&request.client_id)
        .await
        .ok()
        .flatten();
    Ways {
        application: Some(application.map_or_else(
            || request.client_id.clone(),
            |(application, _)| application.name,
        )),
        back: Some(error_location(
            site,
            request,
            oauth_error(refusal),
            &description,
        )),
        again: continued::again_url(app, site, request),
        ui_locales: request.ui_locales.clone(),
    }
}

/// The OAuth error (RFC 6749 4.1.2.1, OpenID Connect Core 3.1.2.6) that stands for a refusal.
pub fn oauth_error(refusal: &Refusal) -> &'static str {
    if *refusal == RouteRefusal::ConnectionNotEnabled
        || *refusal == RouteRefusal::OrganizationUnknown
    {
        "invalid_request"
    } else if *refusal == OauthRefusal::InteractionRequired {
        "interaction_required"
    } else if let Some(error) = unproved(refusal) {
        error
    } else if refusal.entry().blame == Blame::Gateway {
        "temporarily_unavailable"
    } else {
        "access_denied"
    }
}

/// The OAuth error of a demand of the application's (freshness, a class) that the upstream did not prove. The
/// application gets it at once, without a page: only it can ask again.
pub fn unproved(refusal: &Refusal) -> Option<&'static str> {
    if *refusal == SamlRefusal::AuthnTooOld || *refusal == OidcRefusal::AuthenticationTooOld {
        Some("login_required")
    } else if *refusal == SamlRefusal::AuthnContextMismatch || *refusal == OidcRefusal::AcrMismatch
    {
        // OpenID Connect Core Unmet Authentication Requirements 1.0.
        Some("unmet_authentication_requirements")
    } else {
        None
    }
}
