//! What a person decides about a connection's metadata: to accept a revision, to roll back, to revoke a key.

use fedgate_certs::Timestamp;
use fedgate_certs::trust::TrustedKey;
use fedgate_providers::connection::ConnectionId;
use fedgate_providers::error::Refusal;
use fedgate_providers::saml::SamlProvider;
use fedgate_providers::saml::metadata::IdpMetadata;
use fedgate_providers::saml::metadata::beside::KeysBeside;
use fedgate_providers::saml::metadata::change::classify;
use serde_json::json;

use super::refresh::{Known, overlap};
use super::source;
use crate::app::App;
use crate::management::ApiRefusal;
use crate::store::metadata_revision::{Adopted, KeptRevision, RevisionState};

/// Makes a revision that is kept the live one. Keys that it does not name stay for the overlap.
///
/// # Errors
/// `api.revision_unknown`, what the revision cannot be used for, and those of the store.
pub(crate) async fn accept(
    app: &App,
    id: &ConnectionId,
    revision_id: &str,
    now: Timestamp,
) -> Result<(), Refusal> {
    let known = known(app, id).await?;
    let kept = app.store.metadata_revisions(id).await?;
    let chosen = kept
        .into_iter()
        .find(|kept| kept.revision.id == revision_id && kept.state != RevisionState::Live);
    let chosen = chosen.ok_or_else(|| ApiRefusal::RevisionUnknown.refuse().found(revision_id))?;
    replace(app, &known, chosen, RevisionState::Superseded, now).await
}

/// Makes the revision that was live before the live one again. What it takes the place of is not taken over again by
/// itself, and its keys are trusted no longer.
///
/// # Errors
/// `api.revision_unknown` where none was live before, and those of [`accept`].
pub(crate) async fn roll_back(app: &App, id: &ConnectionId, now: Timestamp) -> Result<(), Refusal> {
    let known = known(app, id).await?;
    let kept = app.store.metadata_revisions(id).await?;
    let before = kept
        .into_iter()
        .find(|kept| kept.state == RevisionState::Superseded);
    let before = before.ok_or(ApiRefusal::RevisionUnknown)?;
    replace(app, &known, before, RevisionState::Rejected, now).await
}

/// Revokes the key of a certificate, or trusts it again. Logins that end from then on are refused, on every replica.
///
/// # Errors
/// `api.fingerprint_unknown`, and those of the store.
pub(crate) async fn revoke(
    app: &App,
    id: &ConnectionId,
    fingerprint: &str,
    is_revoked: bool,
    now: Timestamp,
) -> Result<(), Refusal> {
    let known = known(app, id).await?;
    let wanted = plain(fingerprint);
    let kept = app.store.metadata_revisions(id).await?;
    let published = kept.iter().flat_map(|kept| keys(&kept.revision.document));
    let beside = known.beside.trusted.iter().map(|beside| beside.key.clone());
    let key = published
        .chain(beside)
        .find(|key| plain(&key.fingerprint_sha256) == wanted);
    let key = key.ok_or_else(|| ApiRefusal::FingerprintUnknown.refuse().found(fingerprint))?;
    app.store.revoke_key(id, &key, is_revoked, now).await?;
    tracing::warn!(connection = %id, key = key.fingerprint_sha256, is_revoked, "a key was revoked or trusted again");
    app.registry.forget(id).await;
    Ok(())
}

/// What a person's own change of the document leaves: the keys that it does not name stay for the overlap.
///
/// # Errors
/// Those of the store.
pub(crate) async fn keep_overlap(
    app: &App,
    id: &ConnectionId,
    adopted: &mut Adopted,
    now: Timestamp,
) -> Result<(), Refusal> {
    let Some((live, beside)) = app.store.live_trust(id).await? else {
        return Ok(());
    };
    let read = |document: &str| IdpMetadata::parse(document.as_bytes(), None);
    if let (Ok(live), Ok(next)) = (read(&live.document), read(&adopted.revision.document)) {
        adopted.changes = classify(&live, Ok(&next));
        adopted.beside = beside.after(&live, &next, now, overlap(app));
    }
    Ok(())
}

/// The keys of a document; none of one that cannot be read.
pub(crate) fn keys(document: &str) -> Vec<TrustedKey> {
    IdpMetadata::parse(document.as_bytes(), None)
        .map(|metadata| metadata.trust.keys().to_vec())
        .unwrap_or_default()
}

async fn known(app: &App, id: &ConnectionId) -> Result<Known, Refusal> {
    let known = Known::read(app, id).await?;
    known.ok_or_else(|| ApiRefusal::MetadataUrlMissing.into())
}

async fn replace(
    app: &App,
    known: &Known,
    chosen: KeptRevision,
    before: RevisionState,
    now: Timestamp,
) -> Result<(), Refusal> {
    let (id, keys) = (known.id(), app.saml_keys.keys());
    let document = chosen.revision.document.as_bytes();
    let next = IdpMetadata::parse(document, None)?;
    SamlProvider::open(&known.connection, &known.options, document, &keys)?;
    let source = chosen.revision.source;
    let beside = if before == RevisionState::Rejected {
        // Only what was beside it already: the keys of what is rolled back from end with it.
        KeysBeside::after(&known.beside, &next, &next, now, overlap(app))
    } else {
        known
            .beside
            .after(&known.metadata, &next, now, overlap(app))
    };
    let adopted = Adopted {
        changes: classify(&known.metadata, Ok(&next)),
        next_refresh_at: source::next_refresh(source, &next, 0, now, &mut app.randomness.rng()),
        beside,
        etag: None,
        revision: chosen.revision,
    };
    let by = if before == RevisionState::Rejected {
        "rolled_back"
    } else {
        "accepted"
    };
    let payload = json!({
        "connection_id": id, "revision_id": adopted.revision.id, "changes": adopted.changes, "by": by,
    });
    let event = ("metadata.changed", &payload);
    let live = (known.live.id.as_str(), before);
    app.store
        .replace_live_metadata(id, live, &adopted, event, now)
        .await?;
    app.registry.forget(id).await;
    Ok(())
}

/// Hexadecimal without colons, in one case.
fn plain(fingerprint: &str) -> String {
    let digits = fingerprint.chars().filter(|digit| *digit != ':');
    digits.map(|digit| digit.to_ascii_lowercase()).collect()
}
