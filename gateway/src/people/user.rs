//! Users: how a new one begins.

use fedgate_certs::Timestamp;
use fedgate_providers::identity::VerifiedIdentity;

use crate::store::person::User;

/// A fresh user, as the upstream describes the person.
pub fn new_user(
    id: String,
    identity: &VerifiedIdentity,
    email_verified: bool,
    now: Timestamp,
) -> User {
    User {
        id,
        email: identity.email.as_ref().map(|email| email.address.clone()),
        email_verified,
        given_name: identity.given_name.clone(),
        family_name: identity.family_name.clone(),
        name: identity.full_name(),
        picture: identity.picture.clone(),
        is_suspended: false,
        created_at: now,
    }
}
