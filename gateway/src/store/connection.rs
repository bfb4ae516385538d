//! Connections as rows: options as JSON without secrets, secrets sealed.

use fedgate_certs::Timestamp;
use fedgate_providers::connection::{ConnectionId, Status};

use super::error::DomainTaken;
use super::metadata_revision::{self, Adopted};
use super::query::{execute, fetch_all, fetch_optional};
use super::replaced_pair::{self, Replacement};
use super::{Store, StoreError, Transaction, json, outbox, time};

/// A connection's row.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredConnection {
    /// Its id.
    pub id: ConnectionId,
    /// Grows by one at each change.
    pub version: i64,
    /// Internal name.
    pub name: String,
    /// What people read.
    pub display_name: String,
    /// `saml:okta` and the like.
    pub strategy: String,
    /// Whether it may be used.
    pub status: Status,
    /// The organization whose people come through it.
    pub organization_code: Option<String>,
    /// Options without secrets, in Kinde's names.
    pub options: serde_json::Value,
    /// Secret options as a JSON object, sealed with purpose `connection` and the id as context.
    pub secrets: Option<Vec<u8>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What is written with a connection, in the same transaction. `None` leaves what is there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    /// All of its home realm domains, lower-case.
    pub domains: Option<&'a [String]>,
    /// All applications that it is enabled for, by `client_id`.
    pub applications: Option<&'a [String]>,
    /// The metadata that is live from now on.
    pub metadata: Option<&'a Adopted>,
    /// The pair that another takes the place of.
    pub replaced: Option<&'a Replacement>,
    /// Told in the outbox: its type and payload.
    pub event: Option<(&'a str, &'a serde_json::Value)>,
}

/// Who would notice if a connection went away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Dependants {
    /// Users with an identity of it.
    pub users: i64,
    /// Applications that it is enabled for, or that send unknown domains to it.
    pub applications: i64,
    /// Domains that lead to it.
    pub domains: i64,
}

impl Dependants {
    /// Whether anybody would.
    pub fn any(&self) -> bool {
        self.users + self.applications + self.domains > 0
    }
}

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    id: String,
    version: i64,
    name: String,
    display_name: String,
    strategy: String,
    status: String,
    organization_code: Option<String>,
    options: String,
    secrets: Option<Vec<u8>>,
    created_at: i64,
    updated_at: i64,
}

impl Row {
    pub(super) fn read(self) -> Result<StoredConnection, StoreError> {
        Ok(StoredConnection {
            id: id(&self.id)?,
            version: self.version,
            name: self.name,
            display_name: self.display_name,
            strategy: self.strategy,
            status: status(&self.status)?,
            organization_code: self.organization_code,
            options: json(&self.options, "options")?,
            secrets: self.secrets,
            created_at: time(self.created_at)?,
            updated_at: time(self.updated_at)?,
        })
    }
}

impl Store {
    /// Adds a connection with all that belongs to it. `version`, `created_at` and `updated_at` are taken as given.
    ///
    /// # Errors
    /// [`StoreError::DomainsTaken`] with every taken domain; [`StoreError::NotFound`] for an unknown
    /// application or organization; [`StoreError::Conflict`] if the id is taken.
    pub async fn create_connection(
        &self,
        connection: &StoredConnection,
        beside: Beside<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        execute!(transaction,
            "INSERT INTO connections (id, version, name, display_name, strategy, status, organization_code, options,
                secrets, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            connection.id.as_str(), connection.version, &connection.name, &connection.display_name,
            &connection.strategy, connection.status.as_str(), connection.organization_code.as_deref(),
            connection.options.to_string(), connection.secrets.as_deref(),
            connection.created_at.as_millisecond(), connection.updated_at.as_millisecond())?;
        write_beside(&mut transaction, &connection.id, beside).await?;
        transaction.commit().await
    }

    /// Changes a connection if its version is still `expected`, and answers the new version.
    /// `version` and `created_at` of `connection` are ignored.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for another version, [`StoreError::NotFound`], [`StoreError::DomainsTaken`].
    pub async fn update_connection(
        &self,
        connection: &StoredConnection,
        expected: i64,
        beside: Beside<'_>,
    ) -> Result<i64, StoreError> {
        let mut transaction = self.begin().await?;
        let changed = execute!(transaction,
            "UPDATE connections SET version = version + 1, name = $3, display_name = $4, strategy = $5, status = $6,
                organization_code = $7, options = $8, secrets = $9, updated_at = $10
             WHERE id = $1 AND version = $2",
            connection.id.as_str(), expected, &connection.name, &connection.display_name, &connection.strategy,
            connection.status.as_str(), connection.organization_code.as_deref(), connection.options.to_string(),
            connection.secrets.as_deref(), connection.updated_at.as_millisecond())?;
        if changed == 0 {
            return Err(missing_or_changed(&mut transaction, &connection.id).await?);
        }
        write_beside(&mut transaction, &connection.id, beside).await?;
        if let Some(replaced) = beside.replaced {
            let now = connection.updated_at;
            replaced_pair::put(&mut transaction, &connection.id, replaced, now).await?;
        }
        if let Some((kind, payload)) = beside.event {
            outbox::append(&mut transaction, kind, payload, connection.updated_at).await?;
        }
        transaction.commit().await?;
        Ok(expected + 1)
    }

    /// Changes only the status, whatever the version, and answers the new version.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]
    pub async fn change_connection_status(
        &self,
        id: &ConnectionId,
        status: Status,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        let mut transaction = self.begin().await?;
        let version = fetch_optional!(
            transaction,
            (i64,),
            "UPDATE connections SET version = version + 1, status = $2, updated_at = $3 WHERE id = $1 RETURNING version",
            id.as_str(),
            status.as_str(),
            now.as_millisecond()
        )?;
        transaction.commit().await?;
        version
            .map(|(version,)| version)
            .ok_or(StoreError::NotFound("connection"))
    }

    /// Removes a connection with its domains, links, metadata and identities, if its version is still `expected`.
    /// Users stay.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for another version, [`StoreError::NotFound`].
    pub async fn delete_connection(
        &self,
        id: &ConnectionId,
        expected: i64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let deleted = execute!(
            transaction,
            "DELETE FROM connections WHERE id = $1 AND version = $2",
            id.as_str(),
            expected
        )?;
        if deleted == 0 {
            return Err(missing_or_changed(&mut transaction, id).await?);
        }
        transaction.commit().await
    }

    /// Reads a connection.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn connection(
        &self,
        id: &ConnectionId,
    ) -> Result<Option<StoredConnection>, StoreError> {
        let mut reader = self.reader().await?;
        fetch_optional!(
            reader,
            Row,
            "SELECT * FROM connections WHERE id = $1",
            id.as_str()
        )?
        .map(Row::read)
        .transpose()
    }

    /// Connections that are enabled for an application, whatever their status, by display name.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn application_connections(
        &self,
        client_id: &str,
    ) -> Result<Vec<StoredConnection>, StoreError> {
        let mut reader = self.reader().await?;
        fetch_all!(
            reader,
            Row,
            "SELECT c.* FROM connections c JOIN application_connections l ON l.connection_id = c.id
             WHERE l.client_id = $1 ORDER BY c.display_name, c.id",
            client_id
        )?
        .into_iter()
        .map(Row::read)
        .collect()
    }

    /// Connections that an organization's people may use, its own and those linked to it, whatever their status, by
    /// display name.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn organization_connections(
        &self,
        code: &str,
    ) -> Result<Vec<StoredConnection>, StoreError> {
        let mut reader = self.reader().await?;
        fetch_all!(
            reader,
            Row,
            "SELECT * FROM connections WHERE id IN (SELECT id FROM connections WHERE organization_code = $1
                UNION SELECT connection_id FROM organization_connections WHERE organization_code = $1)
             ORDER BY display_name, id",
            code
        )?
        .into_iter()
        .map(Row::read)
        .collect()
    }

    /// Applications that a connection is enabled for, by `client_id`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn connection_applications(
        &self,
        id: &ConnectionId,
    ) -> Result<Vec<String>, StoreError> {
        let mut reader = self.reader().await?;
        let rows = fetch_all!(
            reader,
            (String,),
            "SELECT client_id FROM application_connections WHERE connection_id = $1 ORDER BY client_id",
            id.as_str()
        )?;
        Ok(rows.into_iter().map(|(client_id,)| client_id).collect())
    }

    /// Applications that would notice if a connection went away, by `client_id`: those that it is enabled for, and those
    /// that send unknown domains to it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn dependent_applications(
        &self,
        id: &ConnectionId,
    ) -> Result<Vec<String>, StoreError> {
        let mut reader = self.reader().await?;
        let rows = fetch_all!(
            reader,
            (String,),
            "SELECT client_id FROM application_connections WHERE connection_id = $1
             UNION SELECT client_id FROM applications WHERE fallback_connection = $1 ORDER BY 1",
            id.as_str()
        )?;
        Ok(rows.into_iter().map(|(client_id,)| client_id).collect())
    }

    /// Enables a connection for an application, or takes that back; doing it twice changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if either is unknown.
    pub async fn link_application(
        &self,
        client_id: &str,
        id: &ConnectionId,
        enabled: bool,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        count_link(&mut transaction, id).await?;
        if enabled {
            execute!(
                transaction,
                "INSERT INTO application_connections (client_id, connection_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                client_id,
                id.as_str()
            )?;
        } else {
            execute!(
                transaction,
                "DELETE FROM application_connections WHERE client_id = $1 AND connection_id = $2",
                client_id,
                id.as_str()
            )?;
        }
        transaction.commit().await
    }

    /// Who depends on a connection.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn dependants(&self, id: &ConnectionId) -> Result<Dependants, StoreError> {
        let mut reader = self.reader().await?;
        let row = fetch_optional!(reader, Dependants,
            "SELECT (SELECT COUNT(DISTINCT user_id) FROM identities WHERE connection_id = $1) AS users,
                    (SELECT COUNT(*) FROM (SELECT client_id FROM application_connections WHERE connection_id = $1
                        UNION SELECT client_id FROM applications WHERE fallback_connection = $1) AS dependent) AS applications,
                    (SELECT COUNT(*) FROM connection_domains WHERE connection_id = $1) AS domains", id.as_str())?;
        Ok(row.unwrap_or_default())
    }
}

/// Tells whoever decides on a connection that its links change: a login that has read them waits here, or is decided
/// again.
pub(super) async fn count_link(
    transaction: &mut Transaction,
    id: &ConnectionId,
) -> Result<(), StoreError> {
    execute!(
        *transaction,
        "UPDATE connections SET links = links + 1 WHERE id = $1",
        id.as_str()
    )?;
    Ok(())
}

/// A connection id from a row.
pub(crate) fn id(text: &str) -> Result<ConnectionId, StoreError> {
    ConnectionId::parse(text).ok_or(StoreError::Corrupt("connection id"))
}

/// A status from a row.
pub(crate) fn status(text: &str) -> Result<Status, StoreError> {
    Status::parse(text).ok_or(StoreError::Corrupt("status"))
}

async fn write_beside(
    transaction: &mut Transaction,
    id: &ConnectionId,
    beside: Beside<'_>,
) -> Result<(), StoreError> {
    if let Some(domains) = beside.domains {
        write_domains(transaction, id, domains).await?;
    }
    if let Some(applications) = beside.applications {
        execute!(
            *transaction,
            "DELETE FROM application_connections WHERE connection_id = $1",
            id.as_str()
        )?;
        for client_id in applications {
            execute!(
                *transaction,
                "INSERT INTO application_connections (client_id, connection_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                client_id,
                id.as_str()
            )?;
        }
    }
    match beside.metadata {
        Some(revision) => metadata_revision::put_live(transaction, id, revision).await,
        None => Ok(()),
    }
}

async fn write_domains(
    transaction: &mut Transaction,
    id: &ConnectionId,
    domains: &[String],
) -> Result<(), StoreError> {
    execute!(
        *transaction,
        "DELETE FROM connection_domains WHERE connection_id = $1",
        id.as_str()
    )?;
    let mut taken = Vec::new();
    // In one order, in which two connections do not wait for each other's domains in a circle.
    let mut sorted: Vec<(usize, &String)> = domains.iter().enumerate().collect();
    sorted.sort_by_key(|&(index, domain)| (domain, index));
    for (index, domain) in sorted {
        let written = execute!(
            *transaction,
            "INSERT INTO connection_domains (domain, connection_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            domain,
            id.as_str()
        )?;
        // A domain that stands twice in the list conflicts with itself, which is no conflict.
        if written == 0 && !domains.iter().take(index).any(|earlier| earlier == domain) {
            taken.push(DomainTaken {
                index,
                domain: domain.clone(),
            });
        }
    }
    taken.sort_by_key(|domain| domain.index);
    if taken.is_empty() {
        Ok(())
    } else {
        Err(StoreError::DomainsTaken(taken))
    }
}

async fn missing_or_changed(
    transaction: &mut Transaction,
    id: &ConnectionId,
) -> Result<StoreError, StoreError> {
    let found = fetch_optional!(
        *transaction,
        (i64,),
        "SELECT version FROM connections WHERE id = $1",
        id.as_str()
    )?;
    Ok(if found.is_some() {
        StoreError::Conflict("connection")
    } else {
        StoreError::NotFound("connection")
    })
}
