//! Sign-out that begins at an application (RP-Initiated Logout 1.0), and Kinde's `redirect`.
//!
//! The gateway holds no session of its own in the browser, so that a sign-out ends the login that the ID token names:
//! from then on userinfo refuses its access token. Without an ID token there is nothing to end.

mod single;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use fedgate_providers::error::Refusal;
use http::HeaderMap;
use serde_json::{Map, Value};

use crate::app::Shared;
use crate::error::{self, Ways};
use crate::events::trace::new_reference;
use crate::op::body::form;
use crate::op::context::Context;
use crate::op::issue::verify_hint;
use crate::op::parameters::Parameters;
use crate::op::redirect::see_other;
use crate::op::{LOGOUT_PATH, OpRefusal};
use crate::page::{SignedOut, signed_out};
use crate::store::application::Application;

pub use single::LogoutRefusal;

/// SAML single logout, a path per connection.
const SINGLE_LOGOUT_PATH: &str = "/saml/{connection_id}/slo";

/// Longest `id_token_hint`, in bytes.
const HINT_BYTES: usize = fedgate_certs::jose::TOKEN_BYTES;
/// Longest address and `state`, in bytes.
const VALUE_BYTES: usize = 2048;

/// `/logout`, and the address of single logout.
pub fn routes() -> Router<Shared> {
    Router::new()
        .route(LOGOUT_PATH, get(by_query).post(by_form))
        .route(
            SINGLE_LOGOUT_PATH,
            get(single::unsupported).post(single::unsupported),
        )
}

/// How a sign-out ended.
#[derive(Debug, Default)]
struct Outcome {
    /// The application, where the request names it.
    application: Option<Arc<Application>>,
    /// Where the browser goes on to, registered; none: to the signed-out page.
    onward: Option<String>,
    /// Returned verbatim.
    state: Option<String>,
    /// Why the browser does not go where it was asked to. The person is signed out all the same.
    problem: Option<Refusal>,
}

async fn by_query(
    State(app): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    respond(&app, Ok(query.as_deref().unwrap_or_default()), &headers).await
}

async fn by_form(State(app): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    respond(&app, form(&headers, &body), &headers).await
}

async fn respond(app: &Shared, raw: Result<&str, Refusal>, headers: &HeaderMap) -> Response {
    let ended = match raw.and_then(Parameters::parse) {
        Ok(parameters) => end(&Context::of(app), &parameters).await,
        Err(refusal) => Err(refusal),
    };
    let outcome = match ended {
        Ok(outcome) => outcome,
        Err(refusal) => {
            let reference = new_reference(&mut app.randomness.rng());
            tracing::info!(reference, code = refusal.code(), evidence = ?refusal.evidence(), "sign-out refused");
            return error::page(headers, &refusal, &reference, &Ways::default());
        }
    };
    if let Some(problem) = &outcome.problem {
        tracing::warn!(code = problem.code(), evidence = ?problem.evidence(), "signed out, and not sent onward");
    }
    match &outcome.onward {
        Some(uri) => {
            let state: Vec<_> = outcome
                .state
                .as_deref()
                .map(|state| ("state", state))
                .into_iter()
                .collect();
            see_other(uri, &state)
        }
        None => signed_out(&SignedOut {
            application: outcome
                .application
                .as_ref()
                .map(|application| application.name.as_str()),
            application_url: None,
            connection_name: None,
            ended_at_provider: false,
            not_sent_on: outcome.problem.as_ref().map(Refusal::code),
            language: error::language(headers, None),
        }),
    }
}

/// Ends the session that the request names, and finds where the browser goes on to.
///
/// # Errors
/// `op.logout_hint_invalid`: then nothing was ended, and saying "signed out" would be untrue. Those of
/// [`Parameters::one`] and of the store.
async fn end(context: &Context<'_>, parameters: &Parameters) -> Result<Outcome, Refusal> {
    let hint = parameters.one("id_token_hint", HINT_BYTES)?;
    let hint = hint
        .map(|hint| verify_hint(&context.keyring, context.site, hint))
        .transpose()?;
    let client_id = client_id(parameters, hint.as_ref())?;
    let (asked, by_kinde) = match parameters.one("post_logout_redirect_uri", VALUE_BYTES)? {
        Some(asked) => (Some(asked), false),
        None => (parameters.one("redirect", VALUE_BYTES)?, true),
    };
    let state = parameters.one("state", VALUE_BYTES)?.map(str::to_owned);
    let application = match client_id {
        Some(client_id) => context.application(client_id).await?,
        None => None,
    };
    if let Some(sid) = hint.as_ref().and_then(|claims| text(claims, "sid")) {
        context.store.end_login_session(sid, context.now).await?;
    }
    // Kinde's clients send `redirect` alone and name no application. Any registered address will do then: the operator
    // vouches for each of them, so that this is no open redirect, and what it ends is nothing. The standard parameter
    // never gets that leave.
    let registered = match (asked, &application) {
        (Some(asked), Some(application)) => has(application, asked),
        (Some(asked), None) if client_id.is_none() && by_kinde => {
            context.store.is_post_logout_redirect_uri(asked).await?
        }
        _ => false,
    };
    let mismatch = |asked: &str| OpRefusal::LogoutRedirectMismatch.refuse().found(asked);
    Ok(Outcome {
        onward: asked.filter(|_| registered).map(str::to_owned),
        problem: asked.filter(|_| !registered).map(mismatch),
        application,
        state,
    })
}

/// The application that the request names; hint and `client_id` must agree (RP-Initiated Logout 1.0, 2).
fn client_id<'r>(
    parameters: &'r Parameters,
    hint: Option<&'r Map<String, Value>>,
) -> Result<Option<&'r str>, Refusal> {
    let named = parameters.one("client_id", VALUE_BYTES)?;
    let Some(claims) = hint else { return Ok(named) };
    let audience = text(claims, "aud").ok_or(OpRefusal::LogoutHintInvalid)?;
    match named {
        Some(named) if named != audience => Err(OpRefusal::LogoutHintInvalid
            .refuse()
            .expected(audience)
            .found(named)),
        _ => Ok(Some(audience)),
    }
}

fn has(application: &Application, uri: &str) -> bool {
    application
        .post_logout_redirect_uris
        .iter()
        .any(|registered| registered == uri)
}

fn text<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c str> {
    claims.get(name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests;
