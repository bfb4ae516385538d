//! Login sessions: what a `sid` stands for. Sessions of people belong to the core; these rows serve logout.

use fedgate_certs::Timestamp;
use fedgate_certs::hex;
use fedgate_providers::identity::UpstreamSession;
use rand::CryptoRng;

use super::query::{execute, fetch_all, fetch_optional};
use super::sweep::SWEPT_AT_ONCE;
use super::{Store, StoreError, json, time};

/// One login that succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginSession {
    /// `sid` of its tokens.
    pub sid: String,
    /// The user.
    pub user_id: String,
    /// The identity that was proved.
    pub identity_id: String,
    /// The application that asked.
    pub client_id: String,
    /// The connection.
    pub connection_id: String,
    /// The organization signed in to.
    pub organization_code: Option<String>,
    /// What a logout at the upstream needs.
    pub upstream_session: Option<UpstreamSession>,
    /// When.
    pub created_at: Timestamp,
    /// When it was logged out.
    pub ended_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct Row {
    sid: String,
    user_id: String,
    identity_id: String,
    client_id: String,
    connection_id: String,
    organization_code: Option<String>,
    upstream_session: Option<String>,
    created_at: i64,
    ended_at: Option<i64>,
}

impl Row {
    fn read(self) -> Result<LoginSession, StoreError> {
        Ok(LoginSession {
            sid: self.sid,
            user_id: self.user_id,
            identity_id: self.identity_id,
            client_id: self.client_id,
            connection_id: self.connection_id,
            organization_code: self.organization_code,
            upstream_session: self
                .upstream_session
                .map(|text| json(&text, "upstream session"))
                .transpose()?,
            created_at: time(self.created_at)?,
            ended_at: self.ended_at.map(time).transpose()?,
        })
    }
}

impl Store {
    /// Reads a session, ended or not.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn login_session(&self, sid: &str) -> Result<Option<LoginSession>, StoreError> {
        let mut reader = self.reader().await?;
        fetch_optional!(
            reader,
            Row,
            "SELECT * FROM login_sessions WHERE sid = $1",
            sid
        )?
        .map(Row::read)
        .transpose()
    }

    /// Sessions of an upstream's subject that have not ended, newest first: what a logout that begins
    /// at the upstream ends. At most 1000.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn open_sessions(
        &self,
        connection_id: &str,
        issuer: &str,
        subject: &str,
    ) -> Result<Vec<LoginSession>, StoreError> {
        let mut reader = self.reader().await?;
        fetch_all!(
            reader,
            Row,
            "SELECT s.* FROM login_sessions s JOIN identities i ON i.id = s.identity_id
             WHERE i.connection_id = $1 AND i.issuer = $2 AND i.subject = $3 AND s.ended_at IS NULL
             ORDER BY s.created_at DESC LIMIT 1000",
            connection_id,
            issuer,
            subject
        )?
        .into_iter()
        .map(Row::read)
        .collect()
    }

    /// Ends a session; answers whether it was open.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn end_login_session(&self, sid: &str, now: Timestamp) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let ended = execute!(
            transaction,
            "UPDATE login_sessions SET ended_at = $2 WHERE sid = $1 AND ended_at IS NULL",
            sid,
            now.as_millisecond()
        )?;
        transaction.commit().await?;
        Ok(ended > 0)
    }

    /// Removes sessions that began before `before`, some at a time; answers how many.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn sweep_login_sessions(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        let swept = execute!(
            transaction,
            "DELETE FROM login_sessions WHERE sid IN (SELECT sid FROM login_sessions WHERE sid < $1 LIMIT $2)",
            sid_prefix(before),
            SWEPT_AT_ONCE
        )?;
        transaction.commit().await?;
        Ok(swept)
    }
}

/// A fresh `sid`: `login_`, 12 hex digits of milliseconds, 20 of randomness. It grows with time, so that
/// new rows share pages; it is a name, not a secret.
pub fn new_sid(now: Timestamp, rng: &mut dyn CryptoRng) -> String {
    let mut random = [0; 10];
    rng.fill_bytes(&mut random);
    hex::with_prefix(sid_prefix(now), &random)
}

fn sid_prefix(at: Timestamp) -> String {
    format!("login_{:012x}", at.as_millisecond().max(0))
}
