//! Identities as rows: (connection, issuer, subject) leads to one user.

use fedgate_certs::Timestamp;
use fedgate_providers::connection::domain_of_address;
use serde_json::json;

use super::page::{Page, PageRequest};
use super::query::{execute, fetch_all, fetch_built, fetch_optional, push_list};
use super::{Store, StoreError, Transaction, outbox, time};

/// Identities with the last login of each, as far back as login sessions are kept.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT i.*, (SELECT MAX(created_at) FROM login_sessions WHERE identity_id = i.id) AS last_login_at
             FROM identities i ",
            $rest
        )
    };
}

/// What an upstream's subject is to us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `identity_` and 32 hex digits.
    pub id: String,
    /// Whose it is.
    pub user_id: String,
    /// The connection that proves it.
    pub connection_id: String,
    /// The upstream's issuer; none until the person of an identity entered beforehand first signs in.
    pub issuer: Option<String>,
    /// The upstream's subject; of an identity entered beforehand, the address to expect, or else (without an `@`)
    /// the subject. See `people::claim`.
    pub subject: String,
    /// Enterprise or social.
    pub kind: IdentityKind,
    /// Whether it is the one identity whose profile the user's follows.
    pub is_primary: bool,
    /// When the row was made.
    pub created_at: Timestamp,
    /// When it last led to a login.
    pub last_login_at: Option<Timestamp>,
}

/// Where an identity comes from, in Kinde's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityKind {
    /// An organization's own identity provider.
    Enterprise,
    /// A provider that is open to everybody.
    Social,
}

impl IdentityKind {
    /// The word in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enterprise => "enterprise",
            Self::Social => "social",
        }
    }

    /// Reads [`IdentityKind::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Enterprise, Self::Social]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    user_id: String,
    connection_id: String,
    issuer: Option<String>,
    subject: String,
    #[sqlx(rename = "type")]
    kind: String,
    is_primary: bool,
    created_at: i64,
    last_login_at: Option<i64>,
}

impl Row {
    fn read(self) -> Result<Identity, StoreError> {
        Ok(Identity {
            id: self.id,
            user_id: self.user_id,
            connection_id: self.connection_id,
            issuer: self.issuer,
            subject: self.subject,
            kind: IdentityKind::parse(&self.kind).ok_or(StoreError::Corrupt("identity type"))?,
            is_primary: self.is_primary,
            created_at: time(self.created_at)?,
            last_login_at: self.last_login_at.map(time).transpose()?,
        })
    }
}

impl Store {
    /// Adds an identity; without an issuer, one that waits for its person. One that waits for an address needs a
    /// connection to which the address's domain is assigned at that moment.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] of `"domain"` if the domain is not, of `"row"` if the connection knows that subject
    /// already; [`StoreError::NotFound`] for an unknown user or connection.
    pub async fn create_identity(&self, identity: &Identity) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        check_domain(&mut transaction, identity).await?;
        execute!(
            transaction,
            "INSERT INTO identities (id, user_id, connection_id, issuer, subject, type, is_primary, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            &identity.id,
            &identity.user_id,
            &identity.connection_id,
            identity.issuer.as_deref(),
            &identity.subject,
            identity.kind.as_str(),
            identity.is_primary,
            identity.created_at.as_millisecond()
        )?;
        let payload = payload(&identity.id, &identity.user_id, &identity.connection_id);
        let now = identity.created_at;
        outbox::append(&mut transaction, "identity.created", &payload, now).await?;
        transaction.commit().await
    }

    /// Makes an identity the primary one of its user, in place of any other, or takes that back.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]
    pub async fn set_primary_identity(&self, id: &str, is_primary: bool) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let changed = execute!(
            transaction,
            "UPDATE identities SET is_primary = (id = $1 AND $2)
             WHERE user_id = (SELECT user_id FROM identities WHERE id = $1) AND (id = $1 OR $2)",
            id,
            is_primary
        )?;
        transaction.commit().await?;
        if changed == 0 {
            Err(StoreError::NotFound("identity"))
        } else {
            Ok(())
        }
    }

    /// Removes an identity with its login sessions. Its user stays.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]
    pub async fn delete_identity(&self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let deleted = fetch_optional!(
            transaction,
            (String, String),
            "DELETE FROM identities WHERE id = $1 RETURNING user_id, connection_id",
            id
        )?;
        let (user_id, connection_id) = deleted.ok_or(StoreError::NotFound("identity"))?;
        let payload = payload(id, &user_id, &connection_id);
        outbox::append(&mut transaction, "identity.deleted", &payload, now).await?;
        transaction.commit().await
    }

    /// Reads an identity.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn identity(&self, id: &str) -> Result<Option<Identity>, StoreError> {
        let mut reader = self.reader().await?;
        fetch_optional!(reader, Row, select!("WHERE i.id = $1"), id)?
            .map(Row::read)
            .transpose()
    }

    /// A page of a user's identities, newest first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a cursor that names no identity.
    pub async fn identities(
        &self,
        user_id: &str,
        request: PageRequest<'_>,
    ) -> Result<Page<Identity>, StoreError> {
        let mut reader = self.reader().await?;
        let cursor = request.starting_after.or(request.ending_before);
        if let Some(cursor) = cursor
            && fetch_optional!(
                reader,
                (String,),
                "SELECT id FROM identities WHERE id = $1 AND user_id = $2",
                cursor,
                user_id
            )?
            .is_none()
        {
            return Err(StoreError::NotFound("identity"));
        }
        let rows = if request.is_backward() {
            fetch_all!(reader, Row, select!(
                "WHERE i.user_id = $1 AND (i.created_at, i.id) > (SELECT created_at, id FROM identities WHERE id = $2)
                 ORDER BY i.created_at, i.id LIMIT $3"), user_id, cursor, request.limit())
        } else {
            fetch_all!(
                reader,
                Row,
                select!(
                    "WHERE i.user_id = $1 AND (CAST($2 AS TEXT) IS NULL
                    OR (i.created_at, i.id) < (SELECT created_at, id FROM identities WHERE id = $2))
                 ORDER BY i.created_at DESC, i.id DESC LIMIT $3"
                ),
                user_id,
                cursor,
                request.limit()
            )
        }?;
        Ok(Page::of(
            rows.into_iter().map(Row::read).collect::<Result<_, _>>()?,
            request,
        ))
    }

    /// Every identity of these users, newest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn identities_of(&self, user_ids: &[String]) -> Result<Vec<Identity>, StoreError> {
        if user_ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut reader = self.reader().await?;
        let rows = fetch_built!(reader, Row, query, {
            query.push(select!("WHERE i.user_id IN "));
            push_list!(query, user_ids);
            query.push(" ORDER BY i.created_at DESC, i.id DESC");
        })?;
        rows.into_iter().map(Row::read).collect()
    }
}

async fn check_domain(
    transaction: &mut Transaction,
    identity: &Identity,
) -> Result<(), StoreError> {
    let (None, Some(domain)) = (&identity.issuer, domain_of_address(&identity.subject)) else {
        return Ok(());
    };
    let assigned = fetch_optional!(
        *transaction,
        (String,),
        "SELECT domain FROM connection_domains WHERE domain = $1 AND connection_id = $2",
        domain,
        &identity.connection_id
    )?;
    assigned.map(|_| ()).ok_or(StoreError::Conflict("domain"))
}

fn payload(id: &str, user_id: &str, connection_id: &str) -> serde_json::Value {
    json!({ "identity_id": id, "user_id": user_id, "connection_id": connection_id })
}
