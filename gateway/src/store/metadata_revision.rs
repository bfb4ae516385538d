//! Revisions of an upstream's metadata: one is live, the others tell how it came to that.

use fedgate_certs::Timestamp;
use fedgate_providers::connection::ConnectionId;
use fedgate_providers::saml::metadata::beside::{KeyBeside, KeysBeside};
use fedgate_providers::saml::metadata::change::Change;
use serde_json::Value;

use super::query::{batch, execute, fetch_all, fetch_optional};
use super::{Store, StoreError, Transaction, json, metadata_key, outbox, time, to_json};

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
    /// Written of `saml_idp_certificates`.
    Certificates,
}

/// What became of a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevisionState {
    /// It is what logins are verified with.
    Live,
    /// It waits for a person.
    Held,
    /// It was live.
    Superseded,
    /// A person rolled back from it: it is not taken over again by itself.
    Rejected,
}

/// A revision with what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRevision {
    /// The document.
    pub revision: Revision,
    /// What became of it.
    pub state: RevisionState,
    /// What it changed against the one that was live when it came.
    pub changes: Vec<Change>,
}

/// A revision, and what goes with it.
#[derive(Clone, Debug)]
pub struct Adopted {
    /// The document.
    pub revision: Revision,
    /// What it changes against the one before.
    pub changes: Vec<Change>,
    /// The keys that are trusted beside it from then on.
    pub beside: Vec<KeyBeside>,
    /// When it is read again, or when it expires if there is nowhere to read it.
    pub next_refresh_at: Option<Timestamp>,
    /// The entity tag that it came with.
    pub etag: Option<String>,
}

/// An event of the outbox: its type and payload.
pub type Event<'e> = (&'e str, &'e Value);

impl RevisionSource {
    /// The word in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Xml => "xml",
            Self::Certificates => "certificates",
        }
    }

    fn parse(text: &str) -> Result<Self, StoreError> {
        [Self::Url, Self::Xml, Self::Certificates]
            .into_iter()
            .find(|source| source.as_str() == text)
            .ok_or(StoreError::Corrupt("metadata source"))
    }
}

impl RevisionState {
    /// The word in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Held => "held",
            Self::Superseded => "superseded",
            Self::Rejected => "rejected",
        }
    }

    fn parse(text: &str) -> Result<Self, StoreError> {
        [Self::Live, Self::Held, Self::Superseded, Self::Rejected]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or(StoreError::Corrupt("metadata state"))
    }
}

impl From<Revision> for Adopted {
    fn from(revision: Revision) -> Self {
        Self {
            revision,
            changes: Vec::new(),
            beside: Vec::new(),
            next_refresh_at: None,
            etag: None,
        }
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    source: String,
    document: String,
    sha256: Vec<u8>,
    fetched_at: i64,
    state: String,
    changes: String,
}

impl Row {
    fn read(self) -> Result<KeptRevision, StoreError> {
        let corrupt = |_| StoreError::Corrupt("metadata hash");
        Ok(KeptRevision {
            revision: Revision {
                id: self.id,
                source: RevisionSource::parse(&self.source)?,
                document: self.document,
                sha256: self.sha256.try_into().map_err(corrupt)?,
                fetched_at: time(self.fetched_at)?,
            },
            state: RevisionState::parse(&self.state)?,
            changes: json(&self.changes, "metadata changes")?,
        })
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
        put_live(&mut transaction, connection_id, &revision.clone().into()).await?;
        transaction.commit().await
    }

    /// Makes a revision the live one if `expected` still is; that one is kept as `before`. A revision that is kept
    /// already becomes live again under its own id.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if another one is live.
    pub async fn replace_live_metadata(
        &self,
        id: &ConnectionId,
        (expected, before): (&str, RevisionState),
        adopted: &Adopted,
        event: Event<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let replaced = execute!(
            transaction,
            "UPDATE metadata_revisions SET state = $3 WHERE connection_id = $1 AND id = $2 AND state = 'live'",
            id.as_str(),
            expected,
            before.as_str()
        )?;
        if replaced == 0 {
            return Err(StoreError::Conflict("metadata"));
        }
        execute!(
            transaction,
            "DELETE FROM metadata_revisions WHERE connection_id = $1 AND id = $2",
            id.as_str(),
            &adopted.revision.id
        )?;
        put_live(&mut transaction, id, adopted).await?;
        outbox::append(&mut transaction, event.0, event.1, now).await?;
        transaction.commit().await
    }

    /// The live document says the same in other octets: they take its place, and nothing else changes.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if another one is live.
    pub async fn renew_live_metadata(
        &self,
        id: &ConnectionId,
        expected: &str,
        adopted: &Adopted,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let Adopted { revision, .. } = adopted;
        let renewed = execute!(
            transaction,
            "UPDATE metadata_revisions SET document = $3, sha256 = $4, fetched_at = $5
             WHERE connection_id = $1 AND id = $2 AND state = 'live'",
            id.as_str(),
            expected,
            &revision.document,
            &revision.sha256[..],
            revision.fetched_at.as_millisecond()
        )?;
        if renewed == 0 {
            return Err(StoreError::Conflict("metadata"));
        }
        metadata_key::put_trusted(&mut transaction, id, &adopted.beside).await?;
        transaction.commit().await
    }

    /// Keeps a revision that waits for a person, and trusts some of its keys beside the live one. `event` is told if the
    /// revision is new.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown connection.
    pub async fn hold_metadata(
        &self,
        id: &ConnectionId,
        adopted: &Adopted,
        event: Option<Event<'_>>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        metadata_key::put_trusted(&mut transaction, id, &adopted.beside).await?;
        if let Some((kind, payload)) = event {
            insert(&mut transaction, id, adopted, RevisionState::Held).await?;
            outbox::append(&mut transaction, kind, payload, adopted.revision.fetched_at).await?;
        }
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
            Row,
            "SELECT id, source, document, sha256, fetched_at, state, changes FROM metadata_revisions
             WHERE connection_id = $1 AND state = 'live'",
            connection_id.as_str()
        )?;
        Ok(row.map(Row::read).transpose()?.map(|kept| kept.revision))
    }

    /// The live revision with the keys beside it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn live_trust(
        &self,
        id: &ConnectionId,
    ) -> Result<Option<(Revision, KeysBeside)>, StoreError> {
        let Some(revision) = self.live_metadata(id).await? else {
            return Ok(None);
        };
        Ok(Some((revision, self.keys_beside(id).await?)))
    }

    /// All revisions that are kept, the newest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn metadata_revisions(
        &self,
        id: &ConnectionId,
    ) -> Result<Vec<KeptRevision>, StoreError> {
        let mut reader = self.reader().await?;
        let rows = fetch_all!(
            reader,
            Row,
            "SELECT id, source, document, sha256, fetched_at, state, changes FROM metadata_revisions
             WHERE connection_id = $1 ORDER BY fetched_at DESC, id",
            id.as_str()
        )?;
        rows.into_iter().map(Row::read).collect()
    }
}

pub(super) async fn put_live(
    transaction: &mut Transaction,
    connection_id: &ConnectionId,
    adopted: &Adopted,
) -> Result<(), StoreError> {
    execute!(
        *transaction,
        "UPDATE metadata_revisions SET state = 'superseded' WHERE connection_id = $1 AND state = 'live'",
        connection_id.as_str()
    )?;
    insert(transaction, connection_id, adopted, RevisionState::Live).await?;
    metadata_key::put_trusted(transaction, connection_id, &adopted.beside).await?;
    let fetched_at = adopted.revision.fetched_at.as_millisecond();
    execute!(
        *transaction,
        "INSERT INTO metadata_refreshes (connection_id, next_refresh_at, checked_at, attempted_at, etag)
         VALUES ($1, $2, $3, $3, $4)
         ON CONFLICT (connection_id) DO UPDATE SET next_refresh_at = excluded.next_refresh_at, checked_at = excluded.checked_at,
            attempted_at = excluded.attempted_at, etag = excluded.etag, claimed_until = 0, failures = 0, failure_code = NULL",
        connection_id.as_str(),
        adopted.next_refresh_at.map(Timestamp::as_millisecond),
        fetched_at,
        adopted.etag.as_deref()
    )?;
    Ok(())
}

async fn insert(
    transaction: &mut Transaction,
    connection_id: &ConnectionId,
    adopted: &Adopted,
    state: RevisionState,
) -> Result<(), StoreError> {
    let Adopted {
        revision, changes, ..
    } = adopted;
    batch!(*transaction, [
        "INSERT INTO metadata_revisions (id, connection_id, source, document, sha256, fetched_at, state, changes)
         VALUES ($2, $1, $3, $4, $5, $6, $7, $8)",
        "DELETE FROM metadata_revisions WHERE connection_id = $1 AND state <> 'live' AND id IN (
            SELECT id FROM metadata_revisions WHERE connection_id = $1 AND state <> 'live'
            ORDER BY fetched_at DESC, id LIMIT 1000000 OFFSET $9)",
    ], connection_id.as_str(), &revision.id, revision.source.as_str(), &revision.document, &revision.sha256[..],
        revision.fetched_at.as_millisecond(), state.as_str(), to_json(changes, "metadata changes")?,
        REVISIONS_KEPT - 1)?;
    Ok(())
}
