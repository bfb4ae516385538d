//! The home-realm decision.

use fedgate_providers::connection::{ConnectionId, domain_of_address};
use fedgate_providers::error::Refusal;

use super::{Reason, RouteRefusal};
use crate::app::App;
use crate::op::AuthorizeRequest;

/// Where a login goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// To this connection.
    To(ConnectionId, Reason),
    /// The person chooses on the sign-in page.
    Ask,
}

/// Decides from what the application asked. A domain in `login_hint` wins over `org_code`, as with Kinde;
/// `connection_id` wins over both.
///
/// # Errors
/// `route.connection_not_enabled`, `route.organization_unknown`, those of the store.
pub async fn decide(app: &App, request: &AuthorizeRequest) -> Result<Decision, Refusal> {
    if let Some(asked) = &request.connection_id {
        return named(app, request, asked).await;
    }
    if let Some(domain) = request.login_hint.as_deref().and_then(domain_of_address)
        && let Some(connection) = app.registry.route(&app.store, &domain).await?
    {
        return Ok(Decision::To(connection, Reason::Domain));
    }
    if let Some(organization) = &request.org_code {
        return of_organization(app, organization).await;
    }
    match request.login_hint.as_deref() {
        Some(hint) if domain_of_address(hint).is_some() => {
            Ok(fallback(app, request).await?.unwrap_or(Decision::Ask))
        }
        _ => Ok(Decision::Ask),
    }
}

/// Decides from the address that a person typed.
///
/// # Errors
/// `route.email_invalid`, `route.unknown_domain`, those of the store.
pub async fn by_address(
    app: &App,
    request: &AuthorizeRequest,
    address: &str,
) -> Result<Decision, Refusal> {
    let domain = domain_of_address(address).ok_or(RouteRefusal::EmailInvalid)?;
    if let Some(connection) = app.registry.route(&app.store, &domain).await? {
        return Ok(Decision::To(connection, Reason::Domain));
    }
    let fallback = fallback(app, request).await?;
    fallback.ok_or_else(|| RouteRefusal::UnknownDomain.refuse().found(domain))
}

/// Decides from the button that a person pressed; it must be one that the page could have shown.
///
/// # Errors
/// `route.connection_not_enabled`, those of the store.
pub async fn by_button(
    app: &App,
    request: &AuthorizeRequest,
    pressed: &str,
) -> Result<Decision, Refusal> {
    let decision = named(app, request, pressed).await?;
    Ok(match decision {
        Decision::To(connection, _) => Decision::To(connection, Reason::Button),
        Decision::Ask => Decision::Ask,
    })
}

async fn named(app: &App, request: &AuthorizeRequest, asked: &str) -> Result<Decision, Refusal> {
    let refused = || RouteRefusal::ConnectionNotEnabled.refuse().found(asked);
    let id = ConnectionId::parse(asked).ok_or_else(refused)?;
    let mut allowed = app
        .registry
        .applications(&app.store, &id)
        .await?
        .contains(&request.client_id);
    if let (false, Some(organization)) = (allowed, &request.org_code) {
        allowed = app
            .store
            .organization_connection_ids(organization)
            .await?
            .contains(&id);
    }
    if allowed {
        Ok(Decision::To(id, Reason::ConnectionId))
    } else {
        Err(refused())
    }
}

async fn of_organization(app: &App, organization: &str) -> Result<Decision, Refusal> {
    let connections = app.store.organization_connection_ids(organization).await?;
    match connections.as_slice() {
        [] => Err(RouteRefusal::OrganizationUnknown
            .refuse()
            .found(organization)),
        [only] => Ok(Decision::To(only.clone(), Reason::Organization)),
        _ => Ok(Decision::Ask),
    }
}

async fn fallback(app: &App, request: &AuthorizeRequest) -> Result<Option<Decision>, Refusal> {
    let application = app.store.near_application(&request.client_id).await?;
    let connection = application.and_then(|application| application.fallback_connection.clone());
    Ok(connection.map(|connection| Decision::To(connection, Reason::Fallback)))
}
