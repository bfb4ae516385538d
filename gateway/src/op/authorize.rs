//! The authorization endpoint, and the two answers that a login ends with.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use fedgate_certs::Timestamp;
use fedgate_providers::error::Refusal;
use fedgate_providers::login::Site;
use http::HeaderMap;
use rand::CryptoRng;

use super::body::form;
use super::context::Context;
use super::parameters::Parameters;
use super::redirect::ReturnTo;
use super::refusal::{OpRefusal, describable, oauth_description, oauth_error};
use super::request::{Rejected, client_id, validate};
use super::{AuthorizeRequest, Claims, Grant, SpentGrant};
use crate::app::{App, Shared, later};
use crate::ephemeral::{Code, KeptCode};
use crate::error::{self, Ways};
use crate::events::trace::new_reference;
use crate::login::start;

/// `GET /oauth2/auth`
pub(super) async fn get(
    State(app): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    begin(&app, Ok(query.as_deref().unwrap_or_default()), &headers).await
}

/// `POST /oauth2/auth` (OpenID Connect Core 3.1.2.1 asks for both)
pub(super) async fn post(State(app): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    begin(&app, form(&headers, &body), &headers).await
}

/// Keeps what the code stands for, and sends the browser back to the application with it.
///
/// # Errors
/// `op.ephemeral_full`, `ephemeral.unavailable`
pub async fn succeed(
    app: &App,
    site: &Site,
    request: AuthorizeRequest,
    claims: Claims,
    now: Timestamp,
) -> Result<Response, Refusal> {
    let mut rng = app.randomness.rng();
    let code = Code::draw(&claims.ext_provider.connection_id, &mut rng);
    let grant = Grant {
        request,
        claims,
        issuer: site.issuer.clone(),
    };
    answer(
        &Context {
            site,
            now,
            ..Context::of(app)
        },
        &grant,
        &code,
        &mut rng,
    )
    .await
}

/// Sends the browser back to the application with an OAuth error. `description` begins with the stable code.
pub fn error_redirect(
    site: &Site,
    request: &AuthorizeRequest,
    error: &str,
    description: &str,
) -> Response {
    return_to(request).send(
        site,
        &[
            ("error", error),
            ("error_description", &describable(description)),
        ],
    )
}

/// Where [`error_redirect`] sends the browser: the way back to the application on a page.
pub fn error_location(
    site: &Site,
    request: &AuthorizeRequest,
    error: &str,
    description: &str,
) -> String {
    return_to(request).location(
        site,
        &[
            ("error", error),
            ("error_description", &describable(description)),
        ],
    )
}

async fn begin(app: &Shared, raw: Result<&str, Refusal>, headers: &HeaderMap) -> Response {
    match read(&Context::of(app), raw).await {
        Ok(request) => start::authorize(app, &app.site, request, headers).await,
        Err(Rejected::Page(refusal)) => {
            let reference = new_reference(&mut app.randomness.rng());
            tracing::info!(reference, code = refusal.code(), evidence = ?refusal.evidence(), "authorization request refused");
            error::page(headers, &refusal, &reference, &Ways::default())
        }
        Err(Rejected::Redirect(to, refusal)) => refused(&app.site, &to, &refusal),
    }
}

/// From the raw parameters to a validated request.
///
/// # Errors
/// For the page until the redirect URI is known to be the application's.
pub(super) async fn read(
    context: &Context<'_>,
    raw: Result<&str, Refusal>,
) -> Result<AuthorizeRequest, Rejected> {
    let raw = raw.map_err(Rejected::Page)?;
    let most = context.limits.authorize_query_bytes;
    if raw.len() > most {
        let refusal = OpRefusal::RequestTooLarge
            .refuse()
            .expected(format!("at most {most} bytes"))
            .found(raw.len());
        return Err(Rejected::Page(refusal));
    }
    let parameters = Parameters::parse(raw).map_err(Rejected::Page)?;
    let client_id = client_id(&parameters)?;
    let application = context
        .application(client_id)
        .await
        .map_err(Rejected::Page)?;
    let unknown = || Rejected::Page(OpRefusal::ClientUnknown.refuse().found(client_id));
    validate(&*application.ok_or_else(unknown)?, &parameters)
}

/// The refusal as an OAuth error at the application's redirect URI.
pub(super) fn refused(site: &Site, to: &ReturnTo, refusal: &Refusal) -> Response {
    tracing::info!(code = refusal.code(), evidence = ?refusal.evidence(), "authorization request refused");
    to.send(
        site,
        &[
            ("error", oauth_error(refusal)),
            ("error_description", &oauth_description(refusal)),
        ],
    )
}

/// The code is kept by its digest alone: what the ephemeral store shows to anybody redeems nothing.
pub(super) async fn answer(
    context: &Context<'_>,
    grant: &Grant,
    code: &Code,
    rng: &mut (dyn CryptoRng + Send),
) -> Result<Response, Refusal> {
    let unwritable = |error| OpRefusal::SigningFailed.refuse().detail(error);
    let spent = SpentGrant {
        client_id: grant.request.client_id.clone(),
        sid: grant.claims.sid.clone(),
    };
    let kept = KeptCode {
        value: serde_json::to_vec(grant).map_err(unwritable)?,
        remains: serde_json::to_vec(&spent).map_err(unwritable)?,
    };
    let expires_at = later(context.now, context.limits.code_seconds);
    let kept = context
        .ephemeral
        .put_code(code, kept, expires_at, context.now, rng)
        .await;
    kept.map_err(|error| error.refusal(OpRefusal::EphemeralFull))?;
    Ok(return_to(&grant.request).send(context.site, &[("code", code.as_str())]))
}

fn return_to(request: &AuthorizeRequest) -> ReturnTo {
    ReturnTo {
        redirect_uri: request.redirect_uri.clone(),
        state: request.state.clone(),
    }
}

#[cfg(test)]
mod tests;
