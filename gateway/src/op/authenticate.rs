//! Whether what a token request presents proves the application that it names.

use std::sync::Arc;

use fedgate_certs::jwks::Jwks;
use fedgate_providers::error::Refusal;
use openssl::sha::sha256;

use super::TOKEN_PATH;
use super::application::{Presented, Proof, check_secret, is_public};
use super::assertion::{self, Once};
use super::context::Context;
use super::refusal::OpRefusal;
use crate::store::application::Application;

/// Finds the application and checks its proof.
///
/// # Errors
/// `op.client_unknown`, `op.client_authentication_missing`, `op.client_secret_wrong`, `op.client_assertion_*`,
/// `op.client_keys_unavailable`, those of the stores.
pub(super) async fn authenticate(
    context: &Context<'_>,
    presented: &Presented,
) -> Result<Arc<Application>, Refusal> {
    let unknown = || {
        OpRefusal::ClientUnknown
            .refuse()
            .found(&presented.client_id)
    };
    let application = context
        .application(&presented.client_id)
        .await?
        .ok_or_else(unknown)?;
    match &presented.proof {
        Proof::Nothing if is_public(&application) => {}
        Proof::Nothing => return Err(OpRefusal::ClientAuthenticationMissing.into()),
        Proof::Secret(secret) => check_secret(context.sealer, &application, secret, context.now)?,
        Proof::Assertion(jwt) => check_assertion(context, &application, jwt).await?,
    }
    Ok(application)
}

/// The mark comes last: an assertion that is refused for another reason does not use up its `jti`, so that nobody can
/// spend an application's `jti` with a forged assertion.
async fn check_assertion(
    context: &Context<'_>,
    application: &Application,
    jwt: &str,
) -> Result<(), Refusal> {
    let once = verified(context, application, jwt).await?;
    let key = sha256(once.mark.as_bytes());
    let first = context
        .store
        .mark_once("client_assertion", &key, once.until)
        .await?;
    if first {
        Ok(())
    } else {
        Err(OpRefusal::ClientAssertionReplayed.into())
    }
}

async fn verified(
    context: &Context<'_>,
    application: &Application,
    jwt: &str,
) -> Result<Once, Refusal> {
    let endpoint = context.site.url(TOKEN_PATH);
    let audiences = [context.site.issuer.as_str(), endpoint.as_str()];
    let verify =
        |jwks: &Jwks| assertion::verify(jwt, &application.client_id, jwks, &audiences, context.now);
    let uri = match (&application.jwks, &application.jwks_uri) {
        (Some(jwks), _) => {
            let jwks = Jwks::parse(jwks.to_string().as_bytes());
            return verify(
                &jwks.map_err(|error| OpRefusal::ClientKeysUnavailable.refuse().detail(error))?,
            );
        }
        (None, Some(uri)) => uri,
        (None, None) => {
            return Err(OpRefusal::ClientAssertionSignature
                .refuse()
                .detail("no keys are registered"));
        }
    };
    let held = context.client_keys.at(uri, context.now).await;
    let outcome = held.keys.clone().and_then(|jwks| verify(&jwks));
    let may_be_stale = |refusal: &Refusal| {
        *refusal == OpRefusal::ClientKeysUnavailable
            || *refusal == OpRefusal::ClientAssertionSignature
    };
    match outcome {
        Err(refusal) if may_be_stale(&refusal) => {
            match context.client_keys.newer(uri, &held, context.now).await {
                Some(newer) => newer.keys.clone().and_then(|jwks| verify(&jwks)),
                None => Err(refusal),
            }
        }
        outcome => outcome,
    }
}
