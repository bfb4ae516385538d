//! Who calls, and whether they may.

use http::HeaderMap;

use super::ApiRefusal;
use super::answer::ApiError;
use crate::app::App;
use crate::op::OpRefusal;
use crate::op::bearer::bearer;
use crate::op::issue::{ApiCaller, COMMAND_LINE, verify_api_token};

/// The caller, if the token is sound and has one of these scopes. What its application has lost since the token was
/// given, the token has lost too: at once where this replica or the fan-out heard of it, at the latest when the near
/// cache expires.
///
/// # Errors
/// `op.token_missing`, `op.token_invalid` where the application is gone, `api.scope_missing`, and those of
/// [`verify_api_token`].
pub(super) async fn authorize(
    app: &App,
    headers: &HeaderMap,
    any_of: &[&str],
) -> Result<ApiCaller, ApiError> {
    let bearer = bearer(headers).map_err(ApiError::whole)?;
    let keyring = app.keyring.ring();
    let mut caller =
        verify_api_token(&keyring, &app.site, bearer, app.clock.now()).map_err(ApiError::whole)?;
    if caller.client_id != COMMAND_LINE {
        let application = app.store.near_application(&caller.client_id).await?;
        let Some(application) = application else {
            return Err(ApiError::whole(
                OpRefusal::TokenInvalid
                    .refuse()
                    .detail("its application is gone"),
            ));
        };
        caller
            .scopes
            .retain(|scope| application.scopes.contains(scope));
    }
    if caller.has_any(any_of) {
        Ok(caller)
    } else {
        Err(ApiError::whole(
            ApiRefusal::ScopeMissing
                .refuse()
                .expected(any_of.join(" | ")),
        ))
    }
}
