//! Who calls, and whether they may.

use http::{HeaderMap, header};

use super::ApiRefusal;
use super::answer::ApiError;
use crate::app::App;
use crate::op::issue::{ApiCaller, verify_api_token};

/// The caller, if the token is sound and has one of these scopes.
///
/// # Errors
/// `api.token_missing`, `api.scope_missing`, and those of [`verify_api_token`].
pub(super) fn authorize(
    app: &App,
    headers: &HeaderMap,
    any_of: &[&str],
) -> Result<ApiCaller, ApiError> {
    let bearer = bearer(headers).ok_or_else(|| ApiError::whole(ApiRefusal::TokenMissing))?;
    let caller = verify_api_token(&app.keyring, &app.site, bearer, app.clock.now())
        .map_err(ApiError::whole)?;
    let allowed = caller
        .scopes
        .iter()
        .any(|scope| any_of.contains(&scope.as_str()));
    if allowed {
        Ok(caller)
    } else {
        Err(ApiError::whole(
            ApiRefusal::ScopeMissing
                .refuse()
                .expected(any_of.join(" | ")),
        ))
    }
}

/// RFC 6750 2.1; one header only, since two would be two callers.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (value, None) = (values.next()?, values.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
