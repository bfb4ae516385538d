//! Users: how a new one begins.

use fedgate_certs::Timestamp;
use fedgate_providers::identity::VerifiedIdentity;
use rand::CryptoRng;

use crate::store::person::User;
use fedgate_certs::hex;

/// `kp_` and 32 hex digits.
pub fn new_id(rng: &mut dyn CryptoRng) -> String {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    hex::with_prefix("kp_", &bytes)
}

/// A fresh user, as the upstream describes the person.
pub fn new_user(
    id: String,
    identity: &VerifiedIdentity,
    email_verified: bool,
    now: Timestamp,
) -> User {
    User {
        id,
        provided_id: None,
        email: identity.email.as_ref().map(|email| email.address.clone()),
        email_verified,
        given_name: identity.given_name.clone(),
        family_name: identity.family_name.clone(),
        name: identity.full_name(),
        picture: identity.picture.clone(),
        is_suspended: false,
        version: 1,
        created_at: now,
    }
}

/// A fresh user whom an operator enters; everything else is set by the caller.
pub fn entered_user(id: String, now: Timestamp) -> User {
    User {
        id,
        provided_id: None,
        email: None,
        email_verified: false,
        given_name: None,
        family_name: None,
        name: None,
        picture: None,
        is_suspended: false,
        version: 1,
        created_at: now,
    }
}

/// A full name of its parts, where there is one.
pub fn full_name(given: Option<&str>, family: Option<&str>) -> Option<String> {
    let parts: Vec<&str> = given.into_iter().chain(family).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}
