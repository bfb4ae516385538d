//! Userinfo: what is true of the person today, for as long as the login lasts.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use fedgate_providers::error::Refusal;
use http::HeaderMap;
use http::header::CACHE_CONTROL;
use serde_json::{Map, Value};

use super::bearer::{bearer, refused};
use super::context::Context;
use super::issue::{UserToken, verify_user_token};
use super::refusal::OpRefusal;
use crate::app::Shared;
use crate::store::person::User;

/// `GET` and `POST /oauth2/v2/user_profile`
pub(super) async fn userinfo(State(app): State<Shared>, headers: HeaderMap) -> Response {
    match profile(&Context::of(&app), &headers).await {
        Ok(claims) => ([(CACHE_CONTROL, "no-store")], Json(claims)).into_response(),
        Err(refusal) => refused(&refusal),
    }
}

/// The claims that the token's scopes release, read from the store rather than from the token: a name that changed, an
/// address that is no longer verified, a session that ended are told at once.
///
/// # Errors
/// `op.token_{missing,invalid,expired,audience}`, `op.session_ended`, those of the store.
pub(super) async fn profile(
    context: &Context<'_>,
    headers: &HeaderMap,
) -> Result<Map<String, Value>, Refusal> {
    let token = verify_user_token(
        &context.keyring,
        context.site,
        bearer(headers)?,
        context.now,
    )?;
    let session = context.store.login_session(&token.sid).await?;
    let open = session.filter(|session| session.ended_at.is_none() && session.user_id == token.sub);
    let session = open.ok_or(OpRefusal::SessionEnded)?;
    let user = context
        .store
        .user(&token.sub)
        .await?
        .filter(|user| !user.is_suspended);
    let mut claims = claims(&user.ok_or(OpRefusal::SessionEnded)?, &token);
    if let Some(organization) = session.organization_code {
        claims.insert("org_code".into(), organization.into());
    }
    Ok(claims)
}

/// `id` is `sub` under the name that Kinde's clients read.
fn claims(user: &User, token: &UserToken) -> Map<String, Value> {
    let asked = |name: &str| token.scope.iter().any(|scope| scope == name);
    let mut claims = Map::new();
    claims.insert("sub".into(), user.id.as_str().into());
    claims.insert("id".into(), user.id.as_str().into());
    if let Some(email) = user.email.as_deref().filter(|_| asked("email")) {
        claims.insert("email".into(), email.into());
        claims.insert("email_verified".into(), user.email_verified.into());
    }
    let profile = [
        ("given_name", &user.given_name),
        ("family_name", &user.family_name),
        ("name", &user.name),
        ("picture", &user.picture),
    ];
    for (name, value) in profile {
        if let Some(value) = value.as_deref().filter(|_| asked("profile")) {
            claims.insert(name.into(), value.into());
        }
    }
    claims
}

#[cfg(test)]
mod tests;
