//! One reading of an identity provider's metadata: compared with what is live, and taken over, held, or left alone.

use fedgate_certs::Timestamp;
use fedgate_providers::connection::{
    Connection, ConnectionId, ProtocolOptions, SamlOptions, Status,
};
use fedgate_providers::error::Refusal;
use fedgate_providers::saml::SamlProvider;
use fedgate_providers::saml::metadata::IdpMetadata;
use fedgate_providers::saml::metadata::beside::{KeyBeside, KeysBeside};
use fedgate_providers::saml::metadata::change::{
    Change, Decision, classify, decide, is_everything_gone,
};
use jiff::SignedDuration;
use openssl::sha::sha256;
use serde_json::{Value, json};
use url::Url;

use super::source::{self, Document};
use crate::app::App;
use crate::management::ApiRefusal;
use crate::registry::{self, RegistryRefusal};
use crate::store::StoreError;
use crate::store::metadata_refresh::Refresh;
use crate::store::metadata_revision::{
    Adopted, KeptRevision, Revision, RevisionSource, RevisionState,
};

/// What a reading came to.
#[derive(Clone, Debug)]
pub(crate) struct Refreshed {
    pub(crate) outcome: Outcome,
    /// What the document changes against the live one.
    pub(crate) changes: Vec<Change>,
}

/// What became of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It says what the live one says.
    Unchanged,
    /// It is live.
    Applied,
    /// It waits for a person, or a person has rejected it.
    Held,
}

impl Outcome {
    /// The word in JSON.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Applied => "applied",
            Self::Held => "held",
        }
    }
}

/// A connection with what is live of its upstream.
pub(super) struct Known {
    pub(super) connection: Connection,
    pub(super) options: SamlOptions,
    pub(super) live: Revision,
    pub(super) metadata: IdpMetadata,
    pub(super) beside: KeysBeside,
    refresh: Refresh,
}

impl Known {
    /// Of a SAML connection in use.
    pub(super) async fn read(app: &App, id: &ConnectionId) -> Result<Option<Self>, Refusal> {
        let unavailable = || RegistryRefusal::ConnectionUnavailable.refuse().found(id);
        let stored = app.store.connection(id).await?.ok_or_else(unavailable)?;
        let connection = registry::from_row(&stored, &app.sealer)?;
        let ProtocolOptions::Saml(options) = connection.options.protocol.clone() else {
            return Ok(None);
        };
        let Some((live, beside)) = app.store.live_trust(id).await? else {
            return Ok(None);
        };
        Ok((stored.status == Status::Active).then_some(Self {
            metadata: IdpMetadata::parse(live.document.as_bytes(), None)?,
            refresh: app.store.refresh(id).await?,
            connection,
            options,
            live,
            beside,
        }))
    }

    pub(super) fn id(&self) -> &ConnectionId {
        &self.connection.id
    }

    /// Where it is read from.
    fn url(&self) -> Result<Url, Refusal> {
        if source::source(&self.options).0 == RevisionSource::Url {
            source::url(&self.options)
        } else {
            Err(ApiRefusal::MetadataUrlMissing.into())
        }
    }

    fn told(&self, revision: &Revision, changes: &[Change]) -> Value {
        json!({ "connection_id": self.id(), "revision_id": revision.id, "changes": changes })
    }
}

/// Reads a connection's metadata anew.
///
/// # Errors
/// What it could not be read or is refused for, which is kept; `api.metadata_url_missing`, and those of the store.
pub(crate) async fn refresh(
    app: &App,
    id: &ConnectionId,
    now: Timestamp,
) -> Result<Refreshed, Refusal> {
    let known = Known::read(app, id).await?;
    let known = known.ok_or(ApiRefusal::MetadataUrlMissing)?;
    let url = match known.url() {
        Ok(url) => url,
        Err(refusal) => {
            lapsed(app, &known, now).await?;
            return Err(refusal);
        }
    };
    let read = attempt(app, &known, &url, now).await;
    if let Err(refusal) = &read {
        failed(app, &known, refusal, now).await?;
    }
    read
}

async fn attempt(
    app: &App,
    known: &Known,
    url: &Url,
    now: Timestamp,
) -> Result<Refreshed, Refusal> {
    let etag = known.refresh.etag.as_deref();
    let Some(document) = source::fetch(url, &app.egress, etag).await? else {
        return unchanged(app, known, None, now).await;
    };
    let hash = sha256(document.text.as_bytes());
    if hash == known.live.sha256 {
        return unchanged(app, known, Some(document), now).await;
    }
    let kept = app.store.metadata_revisions(known.id()).await?;
    let kept = kept
        .into_iter()
        .find(|kept| kept.revision.sha256 == hash && kept.state != RevisionState::Superseded);
    if let Some(rejected) = kept
        .as_ref()
        .filter(|kept| kept.state == RevisionState::Rejected)
    {
        checked(app, known, &known.metadata, document.etag, now).await?;
        return Ok(Refreshed {
            outcome: Outcome::Held,
            changes: rejected.changes.clone(),
        });
    }
    let next = match IdpMetadata::parse(document.text.as_bytes(), None) {
        Ok(next) => Some(sound(app, known, &document, next, now)?),
        Err(refusal) if is_everything_gone(&refusal) => {
            let changes = classify(&known.metadata, Err(&refusal));
            return hold(app, known, document, (changes, Vec::new()), kept, now).await;
        }
        Err(refusal) => return Err(refusal),
    };
    let changes = match &next {
        Some(next) => classify(&known.metadata, Ok(next)),
        None => Vec::new(),
    };
    match (decide(&changes, &known.metadata, next.as_ref()), next) {
        (Decision::Hold { trusted }, _) => {
            hold(app, known, document, (changes, trusted), kept, now).await
        }
        (Decision::Apply, Some(next)) => apply(app, known, document, &next, changes, now).await,
        _ => unchanged(app, known, Some(document), now).await,
    }
}

/// A document that could not serve is not taken over, whatever it changes: it would end every login.
fn sound(
    app: &App,
    known: &Known,
    document: &Document,
    next: IdpMetadata,
    now: Timestamp,
) -> Result<IdpMetadata, Refusal> {
    next.valid_within(app.config.metadata.grace(), now)?;
    let keys = app.saml_keys.keys();
    let text = document.text.as_bytes();
    SamlProvider::open(&known.connection, &known.options, text, &keys)?;
    Ok(next)
}

async fn unchanged(
    app: &App,
    known: &Known,
    document: Option<Document>,
    now: Timestamp,
) -> Result<Refreshed, Refusal> {
    let etag = match &document {
        Some(document) => document.etag.clone(),
        None => known.refresh.etag.clone(),
    };
    let read = document
        .as_ref()
        .and_then(|document| IdpMetadata::parse(document.text.as_bytes(), None).ok());
    // Its validUntil and cacheDuration are those from now on.
    let live = read.unwrap_or_else(|| known.metadata.clone());
    let waiting = known.beside.trusted.iter().any(|key| key.until.is_none());
    if let Some(document) = document
        && (waiting || sha256(document.text.as_bytes()) != known.live.sha256)
    {
        // What it says is the same: keys of a document that it has taken back end like removed ones.
        let beside = known.beside.after(&live, &live, now, overlap(app));
        let adopted = adopted(app, document, (Vec::new(), beside), None, now);
        let renewed = app
            .store
            .renew_live_metadata(known.id(), &known.live.id, &adopted);
        raced(renewed.await)?;
        app.registry.forget(known.id()).await;
    }
    checked(app, known, &live, etag, now).await?;
    Ok(Refreshed {
        outcome: Outcome::Unchanged,
        changes: Vec::new(),
    })
}

async fn apply(
    app: &App,
    known: &Known,
    document: Document,
    next: &IdpMetadata,
    changes: Vec<Change>,
    now: Timestamp,
) -> Result<Refreshed, Refusal> {
    let beside = known.beside.after(&known.metadata, next, now, overlap(app));
    let adopted = adopted(app, document, (changes, beside), Some(next), now);
    let payload = known.told(&adopted.revision, &adopted.changes);
    tracing::info!(connection = %known.id(), changes = ?adopted.changes, "metadata changed");
    let replaced = app.store.replace_live_metadata(
        known.id(),
        (&known.live.id, RevisionState::Superseded),
        &adopted,
        ("metadata.changed", &payload),
        now,
    );
    raced(replaced.await)?;
    app.registry.forget(known.id()).await;
    Ok(Refreshed {
        outcome: Outcome::Applied,
        changes: adopted.changes,
    })
}

async fn hold(
    app: &App,
    known: &Known,
    document: Document,
    (changes, trusted): (Vec<Change>, Vec<fedgate_certs::trust::TrustedKey>),
    kept: Option<KeptRevision>,
    now: Timestamp,
) -> Result<Refreshed, Refusal> {
    let beside = known.beside.while_held(trusted, now);
    let etag = document.etag.clone();
    let adopted = adopted(app, document, (changes, beside), None, now);
    let payload = known.told(&adopted.revision, &adopted.changes);
    let event = kept.is_none().then_some(("metadata.held", &payload));
    if event.is_some() {
        tracing::warn!(connection = %known.id(), changes = ?adopted.changes, "metadata is held for a person");
    }
    app.store.hold_metadata(known.id(), &adopted, event).await?;
    checked(app, known, &known.metadata, etag, now).await?;
    app.registry.forget(known.id()).await;
    Ok(Refreshed {
        outcome: Outcome::Held,
        changes: adopted.changes,
    })
}

fn adopted(
    app: &App,
    document: Document,
    (changes, beside): (Vec<Change>, Vec<KeyBeside>),
    live: Option<&IdpMetadata>,
    now: Timestamp,
) -> Adopted {
    let mut rng = app.randomness.rng();
    let url = RevisionSource::Url;
    Adopted {
        next_refresh_at: live.and_then(|live| source::next_refresh(url, live, 0, now, &mut rng)),
        revision: source::revision(document.text, url, now, &mut rng),
        changes,
        beside,
        etag: document.etag,
    }
}

/// Another replica has taken over a document meanwhile: what is live now is read when it is next needed.
fn raced(written: Result<(), StoreError>) -> Result<(), StoreError> {
    match written {
        Err(StoreError::Conflict(_) | StoreError::Raced) => Ok(()),
        written => written,
    }
}

/// How long a removed key is trusted.
pub(crate) fn overlap(app: &App) -> SignedDuration {
    app.config.metadata.overlap()
}

async fn checked(
    app: &App,
    known: &Known,
    live: &IdpMetadata,
    etag: Option<String>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut rng = app.randomness.rng();
    let ended = app.clock.now();
    let refresh = Refresh {
        next_refresh_at: source::next_refresh(RevisionSource::Url, live, 0, now, &mut rng),
        checked_at: Some(now),
        attempted_at: Some(ended),
        etag,
        failures: 0,
        failure_code: None,
    };
    app.store.put_refresh(known.id(), &refresh, &[], now).await
}

/// An attempt failed: the live document goes on serving, and it is tried again less and less often.
async fn failed(
    app: &App,
    known: &Known,
    refusal: &Refusal,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (live, mut rng) = (&known.metadata, app.randomness.rng());
    let failures = known.refresh.failures.saturating_add(1);
    let refresh = Refresh {
        next_refresh_at: source::next_refresh(RevisionSource::Url, live, failures, now, &mut rng),
        attempted_at: Some(app.clock.now()),
        failures,
        failure_code: Some(refusal.code().to_owned()),
        ..known.refresh.clone()
    };
    let id = known.id();
    tracing::warn!(connection = %id, code = refusal.code(), failures, "metadata could not be read");
    let payload = json!({ "connection_id": id, "code": refusal.code(), "failures": failures });
    let expired = expired(app, known, now);
    let mut events = Vec::new();
    // Each first, second, fourth … failure in a row: an outage of a week is no flood of events.
    if failures.is_power_of_two() {
        events.push(("metadata.fetch_failed", &payload));
        events.extend(
            expired
                .as_ref()
                .map(|payload| ("metadata.expired", payload)),
        );
    }
    app.store.put_refresh(id, &refresh, &events, now).await
}

/// A document that nobody can read anew is due when it expires.
async fn lapsed(app: &App, known: &Known, now: Timestamp) -> Result<(), StoreError> {
    let Some(payload) = expired(app, known, now) else {
        return Ok(());
    };
    let refresh = Refresh {
        next_refresh_at: None,
        ..known.refresh.clone()
    };
    let events = [("metadata.expired", &payload)];
    app.store
        .put_refresh(known.id(), &refresh, &events, now)
        .await
}

/// What is told of metadata that has expired and serves within the grace.
fn expired(app: &App, known: &Known, now: Timestamp) -> Option<Value> {
    let end = known.metadata.valid_until.filter(|end| *end <= now)?;
    let serves_until = end.saturating_add(app.config.metadata.grace()).ok();
    tracing::warn!(connection = %known.id(), %end, "metadata has expired");
    Some(json!({
        "connection_id": known.id(),
        "expired_at": end.to_string(),
        "serves_until": serves_until.map(|end| end.to_string()),
    }))
}
