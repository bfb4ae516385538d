//! Users, their identities, memberships and login sessions as rows.

use fedgate_certs::Timestamp;

/// One of our users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// `kp_` and 32 hex digits: `sub` downstream.
    pub id: String,
    /// Contact address; never a key.
    pub email: Option<String>,
    /// Whether applications may rely on it; see `people::link`.
    pub email_verified: bool,
    /// Given name.
    pub given_name: Option<String>,
    /// Family name.
    pub family_name: Option<String>,
    /// Full name.
    pub name: Option<String>,
    /// Picture URL.
    pub picture: Option<String>,
    /// When the row was made.
    pub created_at: Timestamp,
}
