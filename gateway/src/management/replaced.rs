//! A pair that is pasted over another: the one before is shown beside it for a while, so that an identity provider that
//! verifies by our metadata knows both, whenever it reads it.

use fedgate_certs::certified_key::CertifiedKey;
use fedgate_providers::connection::{Connection, ConnectionId, ProtocolOptions};

use super::answer::ApiError;
use crate::app::{App, later};
use crate::store::StoreRefusal;
use crate::store::replaced_pair::{ReplacedPair, Replacement};
use crate::store::sealed::REPLACED_PAIR;

/// How long a pair is shown after another took its place, in seconds: most identity providers read metadata at least
/// monthly.
const SHOWN_SECONDS: u64 = 30 * 24 * 3600;

/// What a change does to the pair of a connection; none where it stays.
///
/// # Errors
/// A pair that cannot be sealed.
pub(super) fn replacement(
    app: &App,
    before: &Connection,
    after: &Connection,
) -> Result<Option<Replacement>, ApiError> {
    let (Some(old), new) = (pair(before), pair(after)) else {
        return Ok(None);
    };
    if new
        .as_ref()
        .is_some_and(|new| new.certificate_der() == old.certificate_der())
    {
        return Ok(None);
    }
    // A certificate that was only renewed around its key is known by the new one.
    if new.as_ref().is_some_and(|new| new.id() == old.id()) {
        return Ok(None);
    }
    let sealed = old.to_pkcs8_der().and_then(|plain| {
        let context = context(&before.id, old.id());
        let mut rng = app.randomness.rng();
        app.sealer
            .seal_secret(REPLACED_PAIR, &context, &plain, &mut rng)
    });
    let pem = old.certificate_pem();
    let (Ok(private_key), Ok(certificate)) = (sealed, pem) else {
        tracing::error!(connection = %before.id, "a replaced pair could not be sealed");
        return Err(ApiError::whole(StoreRefusal::Unavailable));
    };
    Ok(Some(Replacement {
        before: ReplacedPair {
            key_id: old.id().to_owned(),
            certificate,
            private_key,
        },
        after: new.map(|new| new.id().to_owned()),
        expires_at: later(app.clock.now(), SHOWN_SECONDS),
    }))
}

/// The pairs that a connection had and that are still shown. One that does not open is not.
pub(super) async fn shown(app: &App, id: &ConnectionId) -> Result<Vec<CertifiedKey>, ApiError> {
    let rows = app.store.replaced_pairs(id, app.clock.now()).await?;
    let opened = rows.into_iter().filter_map(|row| {
        let context = context(id, &row.key_id);
        let plain = app
            .sealer
            .open_secret(REPLACED_PAIR, &context, &row.private_key);
        let pair = CertifiedKey::from_pkcs8_der(&plain.ok()?, row.certificate.as_bytes());
        pair.ok()
    });
    Ok(opened.collect())
}

fn pair(connection: &Connection) -> Option<CertifiedKey> {
    match &connection.options.protocol {
        ProtocolOptions::Saml(saml) => saml.signing_pair(),
        ProtocolOptions::Oauth(_) => None,
    }
}

fn context(id: &ConnectionId, key: &str) -> String {
    format!("{id} {key}")
}
