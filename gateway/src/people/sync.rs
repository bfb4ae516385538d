//! How a known user's profile follows the upstream.

use fedgate_providers::identity::VerifiedIdentity;

use crate::store::person::User;

/// The user after this login.
///
/// With `sync` (`is_sync_user_profile_on_login`) names, picture and address follow the upstream; what it does not
/// send stays. The flag beside the address always belongs to that address: where the login proves or
/// disproves the address that we have, the flag follows even without `sync`.
pub fn synced(user: &User, identity: &VerifiedIdentity, email_verified: bool, sync: bool) -> User {
    let mut after = user.clone();
    if sync {
        replace(&mut after.given_name, identity.given_name.as_ref());
        replace(&mut after.family_name, identity.family_name.as_ref());
        replace(&mut after.name, identity.full_name().as_ref());
        replace(&mut after.picture, identity.picture.as_ref());
        replace(
            &mut after.email,
            identity.email.as_ref().map(|email| &email.address),
        );
    }
    let address = identity.email.as_ref().map(|email| email.address.as_str());
    if address.is_some() && address == after.email.as_deref() {
        after.email_verified = email_verified;
    }
    after
}

fn replace(kept: &mut Option<String>, sent: Option<&String>) {
    if let Some(sent) = sent
        && kept.as_ref() != Some(sent)
    {
        *kept = Some(sent.clone());
    }
}

#[cfg(test)]
mod tests {
    use fedgate_providers::connection::ConnectionId;
    use fedgate_providers::identity::{Email, EmailClaim, Subject};

    use super::*;
    use crate::people::user::new_user;
    use crate::store::testing::{id, now};

    fn identity(address: Option<&str>) -> VerifiedIdentity {
        let connection: ConnectionId = id(1);
        let mut identity = VerifiedIdentity::unproven(
            connection,
            Subject {
                issuer: "i".into(),
                value: "s".into(),
            },
        );
        identity.email = address.map(|address| Email {
            address: address.into(),
            claim: EmailClaim::Unstated,
            authoritative: false,
        });
        identity
    }

    fn user(verified: bool) -> User {
        let mut user = new_user(
            "kp_1".into(),
            &identity(Some("ann@a.test")),
            verified,
            now(),
        );
        user.given_name = Some("Ann".into());
        user
    }

    #[test]
    fn what_the_upstream_does_not_send_stays() {
        assert_eq!(
            synced(&user(true), &identity(None), false, true),
            user(true)
        );
    }

    #[test]
    fn a_flag_never_moves_to_another_address() {
        let kept = synced(&user(false), &identity(Some("ann@b.test")), true, false);
        assert_eq!(
            (kept.email.as_deref(), kept.email_verified),
            (Some("ann@a.test"), false)
        );
        let moved = synced(&user(true), &identity(Some("ann@b.test")), false, true);
        assert_eq!(
            (moved.email.as_deref(), moved.email_verified),
            (Some("ann@b.test"), false)
        );
    }

    #[test]
    fn the_flag_of_the_same_address_follows_every_login() {
        assert!(!synced(&user(true), &identity(Some("ann@a.test")), false, false).email_verified);
        assert!(synced(&user(false), &identity(Some("ann@a.test")), true, false).email_verified);
    }
}
