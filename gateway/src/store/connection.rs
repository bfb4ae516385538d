//! Connections as rows: options as JSON without secrets, secrets sealed.

use fedgate_certs::Timestamp;
use fedgate_providers::connection::{ConnectionId, Status};

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
