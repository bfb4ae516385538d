//! Home realm domains: where an e-mail domain leads.

use fedgate_providers::connection::{ConnectionId, Status};

use super::connection::{id, status};
use super::query::{fetch_all, fetch_optional};
use super::{Store, StoreError};

/// Where a domain leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainRoute {
    /// The connection.
    pub connection_id: ConnectionId,
    /// Its version: the key of the opened provider.
    pub version: i64,
    /// Only an active one may be used.
    pub status: Status,
}

impl Store {
    /// Where an exact, lower-case domain leads; never to a parent or a child of it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`]
    pub async fn route(&self, domain: &str) -> Result<Option<DomainRoute>, StoreError> {
        let mut reader = self.reader().await?;
        let row = fetch_optional!(reader, (String, i64, String),
            "SELECT c.id, c.version, c.status FROM connection_domains d JOIN connections c ON c.id = d.connection_id
             WHERE d.domain = $1", domain)?;
        row.map(|(connection_id, version, word)| {
            Ok(DomainRoute {
                connection_id: id(&connection_id)?,
                version,
                status: status(&word)?,
            })
        })
        .transpose()
    }

    /// The domains of a connection, in order.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]
    pub async fn domains(&self, connection_id: &ConnectionId) -> Result<Vec<String>, StoreError> {
        let mut reader = self.reader().await?;
        let rows = fetch_all!(
            reader,
            (String,),
            "SELECT domain FROM connection_domains WHERE connection_id = $1 ORDER BY domain",
            connection_id.as_str()
        )?;
        Ok(rows.into_iter().map(|(domain,)| domain).collect())
    }
}
