//! Every fact that a sign-in decides on, read by one statement in its transaction.

use std::borrow::Cow;

use fedgate_providers::connection::{CommonOptions, Connection, Options};

use super::SignIn;
use crate::people::claim::Claim;
use crate::people::identity::kind_of;
use crate::store::person::User;
use crate::store::query::begin_with;
use crate::store::{StoreError, Transaction, json};

/// The facts of one row.
#[derive(Debug, sqlx::FromRow)]
#[expect(clippy::struct_excessive_bools, reason = "each is one fact of one row")]
pub(super) struct Situation {
    pub(super) login_marked: bool,
    pub(super) assertion_marked: bool,
    /// A key that signed it is trusted no longer.
    pub(super) key_revoked: bool,
    /// None: there is no such connection.
    pub(super) status: Option<String>,
    /// The connection's version, and the count of its links' changes: what the decision stands on.
    pub(super) version: Option<i64>,
    pub(super) links: Option<i64>,
    /// The organization that the connection belongs to.
    pub(super) owner: Option<String>,
    /// The options, if the connection is not the version that verified the identity.
    pub(super) changed_options: Option<String>,
    /// For the application, or as its fall-back connection.
    pub(super) enabled: bool,
    pub(super) has_domain: bool,
    /// The organization asked for, or else the connection's own.
    pub(super) organization: Option<String>,
    pub(super) auto_membership: Option<bool>,
    pub(super) links_connection: bool,
    pub(super) has_connections: bool,
    pub(super) member: bool,
    /// The domain of the login's address is assigned to the connection.
    pub(super) domain_assigned: bool,
    identity_id: Option<String>,
    issuer: Option<String>,
    subject: Option<String>,
    /// The user's profile follows the identity.
    is_followed: bool,
    user_id: Option<String>,
    provided_id: Option<String>,
    email: Option<String>,
    email_verified: Option<bool>,
    given_name: Option<String>,
    family_name: Option<String>,
    name: Option<String>,
    picture: Option<String>,
    is_suspended: Option<bool>,
    user_version: Option<i64>,
    created_at: Option<i64>,
}

/// A user whom the identity leads to.
pub(super) struct Found {
    pub(super) user: User,
    pub(super) identity_id: String,
    /// What the identity waited for, if it was entered beforehand and is used for the first time.
    pub(super) awaited: Option<String>,
    /// No other identity is the one that the user's profile follows.
    pub(super) is_followed: bool,
}

impl Situation {
    /// Begins the transaction.
    pub(super) async fn read(
        transaction: &mut Transaction,
        attempt: &SignIn<'_>,
    ) -> Result<Self, StoreError> {
        let subject = &attempt.identity.subject;
        let claim = Claim::of(attempt.identity, kind_of(attempt.connection.spec));
        let row = begin_with!(*transaction, Self,
            "SELECT EXISTS (SELECT 1 FROM marks WHERE kind = 'login' AND key = $1) AS login_marked,
                EXISTS (SELECT 1 FROM marks WHERE kind = 'assertion' AND key = $2) AS assertion_marked,
                EXISTS (SELECT 1 FROM metadata_keys WHERE connection_id = $3 AND state = 'revoked'
                    AND key_id IN ($12, $13)) AS key_revoked,
                c.status, c.version, c.links, c.organization_code AS owner,
                CASE WHEN c.version <> $4 THEN c.options END AS changed_options,
                (EXISTS (SELECT 1 FROM application_connections WHERE client_id = $5 AND connection_id = $3)
                    OR EXISTS (SELECT 1 FROM applications WHERE client_id = $5 AND fallback_connection = $3)) AS enabled,
                EXISTS (SELECT 1 FROM connection_domains WHERE connection_id = $3) AS has_domain,
                o.code AS organization, o.is_auto_membership_enabled AS auto_membership,
                EXISTS (SELECT 1 FROM organization_connections
                    WHERE organization_code = o.code AND connection_id = $3) AS links_connection,
                (EXISTS (SELECT 1 FROM connections WHERE organization_code = o.code)
                    OR EXISTS (SELECT 1 FROM organization_connections WHERE organization_code = o.code)) AS has_connections,
                EXISTS (SELECT 1 FROM memberships WHERE organization_code = o.code AND user_id = u.id) AS member,
                EXISTS (SELECT 1 FROM connection_domains WHERE domain = $11 AND connection_id = $3) AS domain_assigned,
                i.id AS identity_id, i.issuer, i.subject,
                (COALESCE(i.is_primary, FALSE) OR NOT EXISTS (SELECT 1 FROM identities
                    WHERE user_id = u.id AND is_primary)) AS is_followed,
                u.id AS user_id, u.provided_id, u.email, u.email_verified, u.given_name, u.family_name,
                u.name, u.picture, u.is_suspended, u.version AS user_version, u.created_at
             FROM (SELECT 1 AS one) AS here
             LEFT JOIN connections c ON c.id = $3
             LEFT JOIN organizations o ON o.code = COALESCE($6, c.organization_code)
             LEFT JOIN identities i ON i.id = COALESCE(
                (SELECT id FROM identities WHERE connection_id = $3 AND issuer = $7 AND subject = $8),
                (SELECT id FROM identities WHERE connection_id = $3 AND issuer IS NULL AND subject = $9),
                (SELECT id FROM identities WHERE connection_id = $3 AND issuer IS NULL AND subject = $10))
             LEFT JOIN users u ON u.id = i.user_id",
            &attempt.handle.as_bytes()[..],
            attempt.identity.replay.as_ref().map(|mark| &mark.key[..]),
            attempt.identity.connection.as_str(),
            attempt.connection.version,
            attempt.client_id,
            attempt.asked_organization,
            &subject.issuer,
            &subject.value,
            claim.subject,
            claim.address.as_deref(),
            claim.domain(),
            attempt.identity.signed_by.first().map(|key| &key[..]),
            attempt.identity.signed_by.get(1).map(|key| &key[..]))?;
        row.ok_or(StoreError::Corrupt("sign-in"))
    }

    /// The user behind the identity, if any.
    pub(super) fn found(self) -> Result<Option<Found>, StoreError> {
        let (Some(identity_id), Some(user_id)) = (self.identity_id, self.user_id) else {
            return Ok(None);
        };
        let created_at = crate::store::time(self.created_at.unwrap_or_default())?;
        let user = User {
            id: user_id,
            provided_id: self.provided_id,
            email: self.email,
            email_verified: self.email_verified.unwrap_or(false),
            given_name: self.given_name,
            family_name: self.family_name,
            name: self.name,
            picture: self.picture,
            is_suspended: self.is_suspended.unwrap_or(true),
            version: self.user_version.unwrap_or_default(),
            created_at,
        };
        Ok(Some(Found {
            user,
            identity_id,
            awaited: self.subject.filter(|_| self.issuer.is_none()),
            is_followed: self.is_followed,
        }))
    }
}

/// The settings that a sign-in obeys: the opened connection's own, or those of the row where it has moved on.
pub(super) fn settings_in_force<'a>(
    connection: &'a Connection,
    changed: Option<&str>,
) -> Result<Cow<'a, CommonOptions>, StoreError> {
    let Some(changed) = changed else {
        return Ok(Cow::Borrowed(&connection.options.common));
    };
    let options = Options::from_json(connection.spec, &json(changed, "options")?)
        .map_err(|_| StoreError::Corrupt("options"))?;
    Ok(Cow::Owned(options.common))
}
