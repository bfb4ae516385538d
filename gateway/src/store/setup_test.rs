//! Test logins of a connection: what the last one found, the revision at which one passed, and the step from there to
//! active, which only that very revision takes.

use fedgate_certs::Timestamp;
use fedgate_providers::connection::ConnectionId;
use fedgate_providers::login::Handle;
use serde_json::{Value, json};

use super::metadata_revision::{self, Adopted};
use super::query::{execute, fetch_optional};
use super::setup_link::TokenHash;
use super::{Store, StoreError, Transaction, json as read_json, outbox, time};

/// What of a connection a test login is about: nothing else than exactly this may go active by it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Tested {
    /// The connection's version.
    pub version: i64,
    /// SHA-256 of its live metadata, where it has some.
    pub metadata: Option<[u8; 32]>,
}

/// A test login that has ended.
#[derive(Clone, Copy, Debug)]
pub struct EndedTest<'a> {
    /// The connection.
    pub connection_id: &'a ConnectionId,
    /// What was tested.
    pub tested: &'a Tested,
    /// The link that opened the session which asked.
    pub link: &'a TokenHash,
    /// The login's handle: it works once.
    pub handle: Handle,
    /// Until when the handle is remembered.
    pub handle_until: Timestamp,
    /// Whether the person would have been signed in.
    pub passed: bool,
    /// What it found out.
    pub findings: &'a Value,
    /// When it ended.
    pub now: Timestamp,
}

/// The last test login of a connection.
#[derive(Clone, Debug, PartialEq)]
pub struct LastTest {
    /// The connection's version at that time.
    pub version: i64,
    /// Whether it passed.
    pub passed: bool,
    /// When it ended.
    pub tested_at: Timestamp,
    /// What it found out; none once the session that asked is over.
    pub findings: Option<Value>,
    /// A test login passed at exactly the revision that the connection has now.
    pub counts: bool,
}

type Row = (i64, bool, i64, Option<String>, bool);

/// A test passed at the version and at the metadata that the connection `$1` has now.
macro_rules! passed_as_it_is {
    () => {
        "EXISTS (SELECT 1 FROM setup_tests t JOIN connections c ON c.id = t.connection_id
            LEFT JOIN metadata_revisions m ON m.connection_id = t.connection_id AND m.state = 'live'
            WHERE t.connection_id = $1 AND t.passed_version = c.version
                AND (t.passed_metadata = m.sha256 OR (t.passed_metadata IS NULL AND m.sha256 IS NULL)))"
    };
}

impl Store {
    /// Keeps how a test login ended. Beside it only the handle's mark is written: the same test does not end twice.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the handle was used, [`StoreError::NotFound`] if the session that asked is over.
    pub async fn put_setup_test(&self, ended: EndedTest<'_>) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let open = fetch_optional!(
            transaction,
            (String,),
            "SELECT connection_id FROM setup_links WHERE connection_id = $1 AND token_hash = $2",
            ended.connection_id.as_str(),
            &ended.link[..]
        )?;
        if open.is_none() {
            return Err(StoreError::NotFound("setup link"));
        }
        let marked = execute!(
            transaction,
            "INSERT INTO marks (kind, key, expires_at) VALUES ('login', $1, $2) ON CONFLICT DO NOTHING",
            &ended.handle.as_bytes()[..],
            ended.handle_until.as_millisecond()
        )?;
        if marked == 0 {
            return Err(StoreError::Conflict("login"));
        }
        write(&mut transaction, ended).await?;
        transaction.commit().await
    }

    /// The last test login of a connection.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn setup_test(&self, id: &ConnectionId) -> Result<Option<LastTest>, StoreError> {
        let mut reader = self.reader().await?;
        let row = fetch_optional!(
            reader,
            Row,
            concat!(
                "SELECT version, passed, tested_at, findings, ",
                passed_as_it_is!(),
                " FROM setup_tests WHERE connection_id = $1"
            ),
            id.as_str()
        )?;
        row.map(|(version, passed, tested_at, findings, counts)| {
            Ok(LastTest {
                version,
                passed,
                tested_at: time(tested_at)?,
                findings: findings
                    .map(|text| read_json(&text, "findings"))
                    .transpose()?,
                counts,
            })
        })
        .transpose()
    }

    /// Makes a revision the live one of a draft that is still at this version: nobody signs in through it yet.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the connection moved on.
    pub async fn put_draft_metadata(
        &self,
        id: &ConnectionId,
        version: i64,
        adopted: &Adopted,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let draft = execute!(
            transaction,
            "UPDATE connections SET version = version WHERE id = $1 AND version = $2 AND status = 'draft'",
            id.as_str(),
            version
        )?;
        if draft == 0 {
            return Err(StoreError::Conflict("connection"));
        }
        metadata_revision::put_live(&mut transaction, id, adopted).await?;
        transaction.commit().await
    }

    /// Activates a connection that is still at `expected` and whose test login passed at exactly what it is now. Answers
    /// the new version, or `None` where no test login counts.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn activate_tested(
        &self,
        id: &ConnectionId,
        expected: i64,
        now: Timestamp,
    ) -> Result<Option<i64>, StoreError> {
        let mut transaction = self.begin().await?;
        let row = fetch_optional!(
            transaction,
            (i64,),
            concat!(
                "UPDATE connections SET version = version + 1, status = 'active', updated_at = $3
                 WHERE id = $1 AND version = $2 AND ",
                passed_as_it_is!(),
                " RETURNING version"
            ),
            id.as_str(),
            expected,
            now.as_millisecond()
        )?;
        let Some((version,)) = row else {
            return Ok(None);
        };
        let payload = json!({ "connection_id": id.as_str(), "version": version });
        outbox::append(&mut transaction, "connection.activated", &payload, now).await?;
        transaction.commit().await?;
        Ok(Some(version))
    }
}

async fn write(transaction: &mut Transaction, ended: EndedTest<'_>) -> Result<(), StoreError> {
    execute!(*transaction,
        "INSERT INTO setup_tests (connection_id, version, passed, tested_at, findings) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (connection_id) DO UPDATE SET version = excluded.version, passed = excluded.passed,
            tested_at = excluded.tested_at, findings = excluded.findings",
        ended.connection_id.as_str(), ended.tested.version, ended.passed, ended.now.as_millisecond(),
        ended.findings.to_string())?;
    if ended.passed {
        execute!(
            *transaction,
            "UPDATE setup_tests SET passed_version = $2, passed_metadata = $3 WHERE connection_id = $1",
            ended.connection_id.as_str(),
            ended.tested.version,
            ended.tested.metadata.as_ref().map(|hash| &hash[..])
        )?;
    }
    Ok(())
}
