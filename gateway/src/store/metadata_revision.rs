//! Revisions of an upstream's metadata: one is live, the others tell how it came to that.

use fedgate_certs::Timestamp;
use fedgate_providers::connection::ConnectionId;

use super::query::{batch, fetch_optional};
use super::{Store, StoreError, Transaction, time};

/// Revisions kept per connection, the live one included.
pub const REVISIONS_KEPT: i64 = 10;

/// One metadata document as it was taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// `rev_` and 32 hex digits.
    pub id: String,
    /// How it came.
    pub source: RevisionSource,
    /// The document, verbatim.
    pub document: String,
    /// Of the document.
    pub sha256: [u8; 32],
    /// When it was read.
    pub fetched_at: Timestamp,
}

/// How a metadata document came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevisionSource {
    /// Fetched from `saml_idp_metadata_url`.
    Url,
    /// Given as `saml_idp_metadata_xml`.
    Xml,
}

impl RevisionSource {
    fn as_str(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Xml => "xml",
        }
    }
}

impl Store {
    /// Makes a revision the live one; the one before is kept as superseded.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown connection.
    pub async fn put_live_metadata(
        &self,
        connection_id: &ConnectionId,
        revision: &Revision,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        put_live(&mut transaction, connection_id, revision).await?;
        transaction.commit().await
    }

    /// The live revision.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn live_metadata(
        &self,
        connection_id: &ConnectionId,
    ) -> Result<Option<Revision>, StoreError> {
        let mut reader = self.reader().await?;
        let row = fetch_optional!(
            reader,
            (String, String, String, Vec<u8>, i64),
            "SELECT id, source, document, sha256, fetched_at FROM metadata_revisions
             WHERE connection_id = $1 AND state = 'live'",
            connection_id.as_str()
        )?;
        row.map(|(id, source, document, sha256, fetched_at)| {
            Ok(Revision {
                id,
                source: if source == "url" {
                    RevisionSource::Url
                } else {
                    RevisionSource::Xml
                },
                document,
                sha256: sha256
                    .try_into()
                    .map_err(|_| StoreError::Corrupt("metadata hash"))?,
                fetched_at: time(fetched_at)?,
            })
        })
        .transpose()
    }
}

pub(super) async fn put_live(
    transaction: &mut Transaction,
    connection_id: &ConnectionId,
    revision: &Revision,
) -> Result<(), StoreError> {
    batch!(*transaction, [
        "UPDATE metadata_revisions SET state = 'superseded' WHERE connection_id = $1 AND state = 'live'",
        "INSERT INTO metadata_revisions (id, connection_id, source, document, sha256, fetched_at, state)
         VALUES ($2, $1, $3, $4, $5, $6, 'live')",
        "DELETE FROM metadata_revisions WHERE connection_id = $1 AND state = 'superseded' AND id IN (
            SELECT id FROM metadata_revisions WHERE connection_id = $1 AND state = 'superseded'
            ORDER BY fetched_at DESC, id LIMIT 1000000 OFFSET $7)",
    ], connection_id.as_str(), &revision.id, revision.source.as_str(), &revision.document,
        &revision.sha256[..], revision.fetched_at.as_millisecond(), REVISIONS_KEPT - 1)?;
    Ok(())
}
