//! `/api/v1/connections/{id}/metadata`: what a SAML identity provider says of itself, and what a person decides about it.

use axum::extract::{Path, State};
use axum::response::Response;
use fedgate_certs::Timestamp;
use fedgate_certs::trust::TrustedKey;
use fedgate_providers::connection::ConnectionId;
use fedgate_providers::saml::metadata::IdpMetadata;
use fedgate_providers::saml::metadata::beside::KeysBeside;
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::answer::{ApiError, ok};
use super::api::Api;
use super::connection::{ID, stored};
use super::operation::{Operation, PathParameter};
use crate::app::{App, Shared};
use crate::idp_metadata::decided;
use crate::idp_metadata::refresh::{self, Refreshed};
use crate::store::metadata_revision::{KeptRevision, RevisionState};

const REVISION: PathParameter = PathParameter {
    name: "revision_id",
    says: "The id of a revision: rev_ and 32 hex digits.",
    example: "rev_0192b194f6156fb7452fe38cfb144958",
};
const FINGERPRINT: PathParameter = PathParameter {
    name: "fingerprint",
    says: "SHA-256 of a certificate, in hexadecimal, with or without colons.",
    example: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
};

pub(super) fn routes(api: Api) -> Api {
    let update = |id, summary| {
        Operation::new(id, summary, &["update:connections"])
            .answers::<MetadataRead>(StatusCode::OK)
            .conflicts()
            .suits()
    };
    api.at("/connections/{id}/metadata", &[ID])
        .get(
            read,
            Operation::new(
                "GetConnectionMetadata",
                "Read the revisions of a SAML identity provider's metadata, and its keys",
                &["read:connections"],
            )
            .answers::<MetadataRead>(StatusCode::OK),
        )
        .at("/connections/{id}/metadata/refresh", &[ID])
        .post(
            refresh_now,
            update(
                "RefreshConnectionMetadata",
                "Read the identity provider's metadata now",
            ),
        )
        .at("/connections/{id}/metadata/rollback", &[ID])
        .post(
            roll_back,
            update(
                "RollBackConnectionMetadata",
                "Make the revision before the live one live again",
            ),
        )
        .at(
            "/connections/{id}/metadata/revisions/{revision_id}/accept",
            &[ID, REVISION],
        )
        .post(
            accept,
            update(
                "AcceptConnectionMetadata",
                "Make a revision live that is held or was live before",
            ),
        )
        .at(
            "/connections/{id}/metadata/keys/{fingerprint}",
            &[ID, FINGERPRINT],
        )
        .delete(
            revoke,
            update("RevokeConnectionKey", "Revoke a key, at once"),
        )
        .put(
            restore,
            update("RestoreConnectionKey", "Trust a revoked key again"),
        )
}

/// What is known of an identity provider.
#[derive(Debug, Serialize, ToSchema)]
struct MetadataRead {
    metadata: MetadataView,
}

/// The metadata of one connection.
#[derive(Debug, Serialize, ToSchema)]
struct MetadataView {
    /// After a refresh: `unchanged`, `applied` or `held`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, example = "unchanged")]
    outcome: Option<&'static str>,
    /// After a refresh: what the document changes against the live one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = Vec<Object>)]
    changes: Option<Value>,
    /// When it is read next; absent where it was given as a document.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    next_refresh_at: Option<String>,
    /// When the identity provider last answered well.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    checked_at: Option<String>,
    /// Attempts that have failed since.
    failures: u32,
    /// What the last one failed for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, example = "egress.timeout")]
    failure_code: Option<String>,
    /// When the live document expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    valid_until: Option<String>,
    /// Every key that is trusted or revoked.
    keys: Vec<KeyView>,
    /// Every revision that is kept, the newest first.
    revisions: Vec<RevisionView>,
}

/// A key of an identity provider, by its certificate.
#[derive(Debug, Serialize, ToSchema)]
struct KeyView {
    /// SHA-256 of the certificate.
    fingerprint: String,
    /// Its subject.
    subject: String,
    /// `RSA-2048`, `P-256`
    algorithm: String,
    /// When the certificate ends; that decides nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    not_after: Option<String>,
    /// `live`, `retiring` (trusted until `until`), `held` (of a revision that waits) or `revoked`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, example = "live")]
    state: Option<&'static str>,
    /// When a retiring key drops by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    until: Option<String>,
}

/// A revision.
#[derive(Debug, Serialize, ToSchema)]
struct RevisionView {
    id: String,
    /// `live`, `held`, `superseded` or `rejected`.
    state: &'static str,
    /// `url`, `xml` or `certificates`.
    source: &'static str,
    fetched_at: String,
    /// The entityID; absent where the document cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    entity_id: Option<String>,
    /// What it changed against the one before: `kind` and its details.
    #[schema(value_type = Vec<Object>)]
    changes: Value,
    keys: Vec<KeyView>,
}

pub(super) async fn read(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let id = stored(&app, &id).await?.id;
    told(&app, &id, "Metadata", None).await
}

pub(super) async fn refresh_now(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let id = stored(&app, &id).await?.id;
    let refreshed = refresh::refresh(&app, &id, app.clock.now()).await;
    let refreshed = refreshed.map_err(ApiError::whole)?;
    told(&app, &id, "Metadata read", Some(refreshed)).await
}

pub(super) async fn accept(
    State(app): State<Shared>,
    Path((id, revision)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let id = stored(&app, &id).await?.id;
    let accepted = decided::accept(&app, &id, &revision, app.clock.now()).await;
    accepted.map_err(ApiError::whole)?;
    told(&app, &id, "Metadata accepted", None).await
}

pub(super) async fn roll_back(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let id = stored(&app, &id).await?.id;
    let done = decided::roll_back(&app, &id, app.clock.now()).await;
    done.map_err(ApiError::whole)?;
    told(&app, &id, "Metadata rolled back", None).await
}

pub(super) async fn revoke(
    State(app): State<Shared>,
    Path((id, fingerprint)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    decide_key(&app, &id, &fingerprint, true).await
}

pub(super) async fn restore(
    State(app): State<Shared>,
    Path((id, fingerprint)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    decide_key(&app, &id, &fingerprint, false).await
}

async fn decide_key(
    app: &App,
    id: &str,
    fingerprint: &str,
    is_revoked: bool,
) -> Result<Response, ApiError> {
    let id = stored(app, id).await?.id;
    let decided = decided::revoke(app, &id, fingerprint, is_revoked, app.clock.now()).await;
    decided.map_err(ApiError::whole)?;
    let message = if is_revoked {
        "Key revoked"
    } else {
        "Key trusted again"
    };
    told(app, &id, message, None).await
}

async fn told(
    app: &App,
    id: &ConnectionId,
    message: &str,
    refreshed: Option<Refreshed>,
) -> Result<Response, ApiError> {
    let revisions = app.store.metadata_revisions(id).await?;
    let beside = app.store.keys_beside(id).await?;
    let refresh = app.store.refresh(id).await?;
    let live = revisions
        .iter()
        .find(|kept| kept.state == RevisionState::Live);
    let valid_until = live.and_then(|kept| document(kept)?.valid_until);
    let metadata = MetadataView {
        outcome: refreshed.as_ref().map(|one| one.outcome.as_str()),
        changes: refreshed.map(|one| serde_json::to_value(one.changes).unwrap_or_default()),
        next_refresh_at: written(refresh.next_refresh_at),
        checked_at: written(refresh.checked_at),
        failures: refresh.failures,
        failure_code: refresh.failure_code,
        valid_until: written(valid_until),
        keys: keys(live, &revisions, &beside),
        revisions: revisions.iter().map(RevisionView::of).collect(),
    };
    Ok(ok(StatusCode::OK, message, MetadataRead { metadata }))
}

/// The live document's keys, those beside it, and the revoked ones of any document.
fn keys(
    live: Option<&KeptRevision>,
    revisions: &[KeptRevision],
    beside: &KeysBeside,
) -> Vec<KeyView> {
    let is_revoked = |key: &TrustedKey| beside.revoked.contains(&key.id);
    let of = |kept: &KeptRevision| decided::keys(&kept.revision.document);
    let live: Vec<TrustedKey> = live.map(of).unwrap_or_default();
    let sound = live.iter().filter(|key| !is_revoked(key));
    let mut all: Vec<KeyView> = sound
        .map(|key| KeyView {
            state: Some("live"),
            ..KeyView::of(key)
        })
        .collect();
    let trusted = beside.trusted.iter().filter(|one| !is_revoked(&one.key));
    all.extend(trusted.map(|one| KeyView {
        state: Some(if one.until.is_some() {
            "retiring"
        } else {
            "held"
        }),
        until: written(one.until),
        ..KeyView::of(&one.key)
    }));
    let mut told: Vec<[u8; 32]> = Vec::new();
    let published = revisions.iter().flat_map(of);
    for key in published.chain(beside.trusted.iter().map(|one| one.key.clone())) {
        if is_revoked(&key) && !told.contains(&key.id) {
            told.push(key.id);
            all.push(KeyView {
                state: Some("revoked"),
                ..KeyView::of(&key)
            });
        }
    }
    all
}

impl KeyView {
    fn of(key: &TrustedKey) -> Self {
        Self {
            fingerprint: key.fingerprint_sha256.clone(),
            subject: key.subject.clone(),
            algorithm: key.kind.to_string(),
            not_after: written(key.not_after),
            state: None,
            until: None,
        }
    }
}

impl RevisionView {
    fn of(kept: &KeptRevision) -> Self {
        let keys = decided::keys(&kept.revision.document);
        Self {
            id: kept.revision.id.clone(),
            state: kept.state.as_str(),
            source: kept.revision.source.as_str(),
            fetched_at: kept.revision.fetched_at.to_string(),
            entity_id: document(kept).map(|metadata| metadata.entity_id),
            changes: serde_json::to_value(&kept.changes).unwrap_or_default(),
            keys: keys.iter().map(KeyView::of).collect(),
        }
    }
}

fn document(kept: &KeptRevision) -> Option<IdpMetadata> {
    IdpMetadata::parse(kept.revision.document.as_bytes(), None).ok()
}

fn written(time: Option<Timestamp>) -> Option<String> {
    time.map(|time| time.to_string())
}
