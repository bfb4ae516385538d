//! Who calls, and whether they may.

use http::HeaderMap;

use super::ApiRefusal;
use super::answer::ApiError;
use crate::app::App;
use crate::op::bearer::bearer;
use crate::op::issue::{ApiCaller, verify_api_token};

/// The caller, if the token is sound and has one of these scopes.
///
/// # Errors
/// `op.token_missing`, `api.scope_missing`, and those of [`verify_api_token`].
pub(super) fn authorize(
    app: &App,
    headers: &HeaderMap,
    any_of: &[&str],
) -> Result<ApiCaller, ApiError> {
    let bearer = bearer(headers).map_err(ApiError::whole)?;
    let caller = verify_api_token(&app.keyring.ring(), &app.site, bearer, app.clock.now())
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
