//! The budget of encrypted answers that do not decrypt.
//!
//! AES-CBC can be read by whoever may ask often enough how altered cipher text fails (Jager and Somorovsky 2011, some
//! thousand questions an octet block). Connections that allow it answer few such questions a minute, whoever asks, and
//! then none until the minute ends. What a signature covers is no question, and AES-GCM gives no answer: both go on.

use fedgate_certs::Timestamp;
use fedgate_providers::connection::ConnectionId;
use fedgate_providers::error::Refusal;
use fedgate_providers::identity::VerifiedIdentity;
use fedgate_providers::login::{Callback, Handle, Pending, Steps};
use fedgate_providers::provider::Provider;
use fedgate_providers::saml::SamlRefusal;

use crate::app::App;
use crate::throttle::Limit;

/// [`Provider::complete`] within the budget of the connection.
///
/// # Errors
/// Those of the provider, and `saml.decryption_paused` beyond the budget.
pub async fn complete(
    app: &App,
    (connection, provider): (&ConnectionId, &Provider),
    (handle, pending): (Handle, &Pending),
    callback: &Callback,
    now: Timestamp,
    steps: &mut Steps,
) -> Result<VerifiedIdentity, Refusal> {
    let verified = within(
        app,
        (connection, provider),
        (handle, pending),
        callback,
        now,
        steps,
    );
    let identity = verified.await?;
    if let Some(key) = &identity.decrypted_with {
        app.key_uses.note(&app.store, connection, key, now).await;
    }
    Ok(identity)
}

async fn within(
    app: &App,
    (connection, provider): (&ConnectionId, &Provider),
    (handle, pending): (Handle, &Pending),
    callback: &Callback,
    now: Timestamp,
    steps: &mut Steps,
) -> Result<VerifiedIdentity, Refusal> {
    if !provider.is_cbc_allowed() {
        return provider
            .complete(handle, pending, callback, now, steps)
            .await;
    }
    let key: &[&[u8]] = &[connection.as_str().as_bytes()];
    let is_over = app.throttle.wait(Limit::Decryption, key, now).is_some();
    let paused = is_over.then(|| provider.with_cbc_paused()).flatten();
    let provider = paused.as_ref().unwrap_or(provider);
    let verified = provider
        .complete(handle, pending, callback, now, steps)
        .await;
    if let Err(refusal) = &verified
        && *refusal == SamlRefusal::DecryptionFailed
    {
        let counting = (&app.ephemeral, &*app.metrics);
        app.throttle
            .refused(counting, Limit::Decryption, key, now)
            .await;
    }
    verified
}
