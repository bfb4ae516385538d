//! The token endpoint. It sends no CORS headers: browser-only applications are not among those that this gateway
//! serves, and a public native application is bound by no origin.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fedgate_providers::error::{Blame, Refusal};
use http::header::{CACHE_CONTROL, PRAGMA, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use openssl::sha::sha256;
use rand::CryptoRng;
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;

use super::application::{is_public, presented};
use super::authenticate::authenticate;
use super::body::form;
use super::context::Context;
use super::issue::{api_audience, api_token, user_tokens};
use super::parameters::Parameters;
use super::refusal::{OpRefusal, oauth_description, oauth_error};
use super::request::{REDIRECT_URI_BYTES, SCOPE_BYTES, WORD_BYTES};
use super::{Grant, SpentGrant, failures};
use crate::app::Shared;
use crate::client_address::ClientAddress;
use crate::ephemeral::{Code, CodeState};
use crate::store::application::Application;
use crate::telemetry::request::Told;
use crate::throttle::guard;

/// Neither a token nor an error about one is kept by anybody on the way (RFC 6749 5.1).
const NOT_STORED: [(http::HeaderName, &str); 2] =
    [(CACHE_CONTROL, "no-store"), (PRAGMA, "no-cache")];

/// A request that has earned its tokens.
#[derive(Debug)]
pub(super) enum Earned {
    /// A person's, for the application.
    User(Box<Grant>, Arc<Application>),
    /// The application's own.
    Api {
        client_id: String,
        scopes: Vec<String>,
    },
}

/// `POST /oauth2/token`
pub(super) async fn post(
    State(app): State<Shared>,
    Extension(address): Extension<ClientAddress>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let context = Context::of(&app);
    let client = || named_client(&headers, &body);
    if let Some((refusal, seconds)) = failures::over(&app, &address, client) {
        return guard::oauth(&refusal, seconds);
    }
    let mut rng = app.randomness.rng();
    let earned = earn(&context, &headers, &body, &mut rng).await;
    match earned.and_then(|earned| issue(&context, &earned, &mut rng)) {
        Ok(tokens) => (NOT_STORED, Json(tokens)).into_response(),
        Err(refusal) => {
            failures::count(&app, &address, client, &refusal).await;
            refused(&refusal)
        }
    }
}

/// The client that a request names, as far as it can be read.
fn named_client(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let parameters = Parameters::parse(form(headers, body).ok()?).ok()?;
    let presented = presented(headers, &parameters).ok()?;
    Some(presented.client_id.clone())
}

/// Checks the whole request; a code is spent by it.
///
/// # Errors
/// Any `op` refusal of a token request, and those of the stores.
pub(super) async fn earn(
    context: &Context<'_>,
    headers: &HeaderMap,
    body: &[u8],
    rng: &mut (dyn CryptoRng + Send),
) -> Result<Earned, Refusal> {
    let parameters = Parameters::parse(form(headers, body)?)?;
    let application = authenticate(context, &presented(headers, &parameters)?).await?;
    let grant_type = parameters.required("grant_type", WORD_BYTES)?;
    if !matches!(grant_type, "authorization_code" | "client_credentials") {
        return Err(OpRefusal::GrantTypeUnsupported.refuse().found(grant_type));
    }
    if !application
        .grant_types
        .iter()
        .any(|allowed| allowed == grant_type)
    {
        return Err(OpRefusal::GrantTypeNotAllowed.refuse().found(grant_type));
    }
    if grant_type == "client_credentials" {
        return client_credentials(context, &application, &parameters);
    }
    let grant = redeem(context, &application, &parameters, rng).await?;
    Ok(Earned::User(Box::new(grant), application))
}

/// Signs what was earned.
///
/// # Errors
/// `op.signing_failed`
pub(super) fn issue(
    context: &Context<'_>,
    earned: &Earned,
    rng: &mut dyn CryptoRng,
) -> Result<Value, Refusal> {
    match earned {
        Earned::User(grant, application) => {
            let seconds = context.limits.token_seconds;
            let algorithm = application.id_token_signed_response_alg;
            let tokens = user_tokens(&context.issuer(seconds), grant, algorithm, rng)?;
            Ok(json!({
                "access_token": tokens.access_token,
                "token_type": "Bearer",
                "expires_in": seconds,
                "id_token": tokens.id_token,
                "scope": grant.request.scope.join(" "),
            }))
        }
        Earned::Api { client_id, scopes } => {
            let seconds = context.limits.api_token_seconds;
            let access_token = api_token(&context.issuer(seconds), client_id, scopes, rng)?;
            let scope = scopes.join(" ");
            Ok(
                json!({ "access_token": access_token, "token_type": "Bearer", "expires_in": seconds, "scope": scope }),
            )
        }
    }
}

/// RFC 6749 5.2. A failure on our side is told as such by the status, so that the client may try again.
pub(crate) fn refused(refusal: &Refusal) -> Response {
    let error = oauth_error(refusal);
    let body = Json(json!({ "error": error, "error_description": oauth_description(refusal) }));
    tracing::info!(code = refusal.code(), evidence = ?refusal.evidence(), "token request refused");
    let mut answer = match (error, refusal.entry().blame) {
        (_, Blame::Gateway) => (StatusCode::SERVICE_UNAVAILABLE, NOT_STORED, body).into_response(),
        ("invalid_client", _) => {
            let challenge = [(WWW_AUTHENTICATE, "Basic realm=\"fedgate\"")];
            (StatusCode::UNAUTHORIZED, NOT_STORED, challenge, body).into_response()
        }
        _ => (StatusCode::BAD_REQUEST, NOT_STORED, body).into_response(),
    };
    Told::refused(&mut answer, refusal, None);
    answer
}

/// The code is taken before anything about it is compared, so that each code allows one guess: a wrong client, verifier
/// or redirect URI burns it. Whoever could burn a code in this way holds it already, and then a new sign-in is cheaper
/// than a second guess (RFC 9700 4.5).
async fn redeem(
    context: &Context<'_>,
    application: &Application,
    parameters: &Parameters,
    rng: &mut (dyn CryptoRng + Send),
) -> Result<Grant, Refusal> {
    let code = parameters.required("code", WORD_BYTES)?;
    let redirect_uri = parameters.one("redirect_uri", REDIRECT_URI_BYTES)?;
    let verifier = parameters.one("code_verifier", WORD_BYTES)?;
    let taken = context
        .ephemeral
        .take_code(&Code::presented(code), context.now, rng)
        .await;
    let value = match taken.map_err(|error| error.refusal(OpRefusal::EphemeralFull))? {
        CodeState::Taken(value) => value,
        CodeState::Spent(value) => {
            revoke(context, application, &value).await;
            return Err(OpRefusal::CodeReplayed.into());
        }
        CodeState::Unknown => return Err(OpRefusal::CodeUnknown.into()),
    };
    let grant: Grant = serde_json::from_slice(&value)
        .map_err(|error| OpRefusal::CodeUnknown.refuse().detail(error))?;
    check_grant(&grant, application, redirect_uri, verifier)?;
    if grant.issuer != context.site.issuer {
        return Err(OpRefusal::CodeUnknown
            .refuse()
            .expected(&context.site.issuer)
            .found(&grant.issuer));
    }
    Ok(grant)
}

/// A code that comes twice has been seen by somebody else, and who came first is not known: the tokens of the first
/// redemption end with their login (RFC 6749 4.1.2). Best effort, and never on the word of another client.
async fn revoke(context: &Context<'_>, application: &Application, value: &[u8]) {
    tracing::warn!(
        client_id = application.client_id,
        "an authorization code was redeemed twice"
    );
    let spent = serde_json::from_slice::<SpentGrant>(value).ok();
    let Some(spent) = spent.filter(|spent| spent.client_id == application.client_id) else {
        return;
    };
    if let Err(error) = context
        .store
        .end_login_session(&spent.sid, context.now)
        .await
    {
        tracing::error!(%error, sid = spent.sid, "the login of a code that was redeemed twice could not be ended");
    }
}

/// What binds a code: its client, its redirect URI, its verifier.
fn check_grant(
    grant: &Grant,
    application: &Application,
    redirect_uri: Option<&str>,
    verifier: Option<&str>,
) -> Result<(), Refusal> {
    let request = &grant.request;
    if request.client_id != application.client_id {
        let refusal = OpRefusal::CodeOfAnotherClient.refuse();
        return Err(refusal
            .expected(&request.client_id)
            .found(&application.client_id));
    }
    if redirect_uri != Some(&request.redirect_uri) {
        let refusal = OpRefusal::RedirectUriDiffers.refuse();
        return Err(refusal
            .expected(&request.redirect_uri)
            .found(redirect_uri.unwrap_or("no redirect_uri")));
    }
    match (&request.code_challenge, verifier) {
        (Some(challenge), Some(verifier)) if matches_challenge(challenge, verifier) => Ok(()),
        (Some(_), Some(_)) => Err(OpRefusal::CodeVerifierWrong.into()),
        (Some(_), None) => Err(OpRefusal::CodeVerifierMissing.into()),
        (None, Some(_)) => Err(OpRefusal::CodeVerifierUnexpected.into()),
        // It was confidential when the request came, and lost its secret since.
        (None, None) if is_public(application) => Err(OpRefusal::PkceRequired.into()),
        (None, None) => Ok(()),
    }
}

/// RFC 7636 4.6
fn matches_challenge(challenge: &str, verifier: &str) -> bool {
    let digest = URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes()));
    digest.as_bytes().ct_eq(challenge.as_bytes()).into()
}

/// The scopes that are granted: those asked for, or all that the application has (Kinde's client asks for none).
fn client_credentials(
    context: &Context<'_>,
    application: &Application,
    parameters: &Parameters,
) -> Result<Earned, Refusal> {
    if is_public(application) {
        return Err(OpRefusal::GrantTypeNotAllowed
            .refuse()
            .found("client_credentials of a public client"));
    }
    let expected = api_audience(context.site);
    let audience = parameters.one("audience", REDIRECT_URI_BYTES)?;
    if audience != Some(&expected) {
        return Err(OpRefusal::AudienceInvalid
            .refuse()
            .expected(expected)
            .found(audience.unwrap_or("no audience")));
    }
    let asked = parameters.one("scope", SCOPE_BYTES)?.unwrap_or_default();
    let asked: Vec<&str> = asked.split(' ').filter(|scope| !scope.is_empty()).collect();
    let has = |asked: &&str| application.scopes.iter().any(|scope| scope == asked);
    if let Some(excess) = asked.iter().find(|scope| !has(scope)) {
        return Err(OpRefusal::ScopeNotAllowed
            .refuse()
            .expected(application.scopes.join(" "))
            .found(excess));
    }
    let granted = |scope: &&String| asked.is_empty() || asked.contains(&scope.as_str());
    let scopes = application.scopes.iter().filter(granted).cloned().collect();
    Ok(Earned::Api {
        client_id: application.client_id.clone(),
        scopes,
    })
}

#[cfg(test)]
mod tests;
