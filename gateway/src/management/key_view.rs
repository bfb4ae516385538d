//! A key as callers see it: never its private half.

use fedgate_certs::certified_key::certificate_end;
use fedgate_certs::keyring::{KeyPurpose, Stage};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use super::operation::words;
use crate::store::key::StoredKey;

/// All keys, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct KeyList {
    pub(super) keys: Vec<KeyView>,
}

/// What a reading or a change answers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct KeyRead {
    pub(super) key: KeyView,
}

/// One of the gateway's own keys.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct KeyView {
    /// The `kid` of a key that signs tokens; of a pair, SHA-256 of its public key in base64url.
    #[schema(example = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")]
    id: String,
    #[schema(schema_with = purpose_schema)]
    purpose: String,
    #[schema(example = "RS256")]
    algorithm: String,
    #[schema(schema_with = stage_schema)]
    stage: String,
    /// `generated` here, or `imported`.
    #[schema(schema_with = source_schema)]
    source: String,
    /// RFC 3339.
    created_at: String,
    /// Since when it is in that stage; RFC 3339.
    stage_since: String,
    /// When an identity provider last encrypted for it; RFC 3339.
    used_at: Option<String>,
    /// When its certificate ends; RFC 3339.
    not_after: Option<String>,
    /// Its certificate, as PEM.
    certificate: Option<String>,
}

impl KeyView {
    pub(super) fn of(row: &StoredKey) -> Self {
        let end = row.certificate.as_deref();
        let end = end.and_then(|pem| certificate_end(pem.as_bytes()));
        Self {
            id: row.id.clone(),
            purpose: row.purpose.clone(),
            algorithm: row.algorithm.clone(),
            stage: row.stage.clone(),
            source: row.source.clone(),
            created_at: format!("{:.0}", row.created_at),
            stage_since: format!("{:.0}", row.stage_at),
            used_at: row.used_at.map(|at| format!("{at:.0}")),
            not_after: end.map(|at| format!("{at:.0}")),
            certificate: row.certificate.clone(),
        }
    }
}

fn purpose_schema() -> Object {
    words(KeyPurpose::ALL.map(KeyPurpose::as_str))
}

fn stage_schema() -> Object {
    words(Stage::ALL.map(Stage::as_str))
}

fn source_schema() -> Object {
    words(["generated", "imported"])
}
