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
        replace(&mut after.name, identity.name.as_ref());
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
