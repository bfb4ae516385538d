//! Every rule of the sign-in, over facts that were read in its transaction. No I/O.

use fedgate_providers::connection::{CommonOptions, Status};
use fedgate_providers::error::Refusal;
use fedgate_providers::identity::VerifiedIdentity;

use super::situation::{Found, Situation, settings_in_force};
use super::{Fresh, SignIn};
use crate::people::organization::{self, Facts, Membership};
use crate::people::{PeopleRefusal, link, sync, user};
use crate::store::person::User;

/// What the facts lead to.
pub(super) struct Decision {
    pub(super) user: User,
    pub(super) identity_id: String,
    /// What happens to the identity's row.
    pub(super) identity: IdentityChange,
    pub(super) profile_changed: bool,
    pub(super) organization: Option<String>,
    pub(super) joins: bool,
}

#[derive(PartialEq, Eq)]
pub(super) enum IdentityChange {
    None,
    /// It was entered beforehand to wait for this: its issuer and subject are known from now on.
    Bind(String),
    /// It is new, and so is the user.
    Create,
}

/// What a login leads to.
///
/// # Errors
/// A [`PeopleRefusal`]; [`StoreRefusal::Corrupt`](crate::store::StoreRefusal) for a row that cannot be read.
pub(super) fn decide(
    attempt: &SignIn<'_>,
    situation: Situation,
    fresh: &Fresh,
) -> Result<Decision, Refusal> {
    admit_login(attempt, &situation)?;
    let settings = settings_in_force(attempt.connection, situation.changed_options.as_deref())?;
    let facts = organization_facts(&situation, &settings);
    if let Some(facts) = facts {
        organization::admit_connection(facts)?;
    }
    let verified = email_is_verified(attempt.identity, &settings);
    let organization = situation.organization.clone();
    let domain_assigned = situation.domain_assigned;
    let mut decision = match situation.found()? {
        Some(found) => {
            admit_user(&found, domain_assigned)?;
            known(attempt, found, &settings, verified, organization)
        }
        None if settings.is_create_missing_user => Decision {
            user: user::new_user(
                fresh.user_id.clone(),
                attempt.identity,
                verified,
                attempt.now,
            ),
            identity_id: fresh.identity_id.clone(),
            identity: IdentityChange::Create,
            profile_changed: false,
            organization,
            joins: false,
        },
        None => return Err(PeopleRefusal::UserUnknown.into()),
    };
    if let Some(facts) = facts {
        decision.joins = organization::membership(facts)? == Membership::Joins;
    }
    Ok(decision)
}

/// Whether the identity may lead to its user.
fn admit_user(found: &Found, domain_assigned: bool) -> Result<(), Refusal> {
    if let Some(address) = found.awaited.as_ref().filter(|value| value.contains('@'))
        && !domain_assigned
    {
        return Err(PeopleRefusal::DomainNotAssigned.refuse().found(address));
    }
    if found.user.is_suspended {
        return Err(PeopleRefusal::UserSuspended.into());
    }
    Ok(())
}

/// The login of a user who is there already.
fn known(
    attempt: &SignIn<'_>,
    found: Found,
    settings: &CommonOptions,
    verified: bool,
    organization: Option<String>,
) -> Decision {
    let follows = settings.is_sync_user_profile_on_login && found.is_followed;
    let user = sync::synced(&found.user, attempt.identity, verified, follows);
    Decision {
        profile_changed: user != found.user,
        user,
        identity_id: found.identity_id,
        identity: found
            .awaited
            .map_or(IdentityChange::None, IdentityChange::Bind),
        organization,
        joins: false,
    }
}

/// Marks, connection and application: whether this login may end here at all.
fn admit_login(attempt: &SignIn<'_>, situation: &Situation) -> Result<(), Refusal> {
    if situation.login_marked {
        return Err(PeopleRefusal::LoginReplayed.into());
    }
    if situation.assertion_marked {
        return Err(PeopleRefusal::AssertionReplayed.into());
    }
    match situation.status.as_deref() {
        // An identity never speaks for another connection than the one that verified it.
        Some(_) if attempt.identity.connection != attempt.connection.id => {
            return Err(PeopleRefusal::ConnectionMissing.into());
        }
        None => return Err(PeopleRefusal::ConnectionMissing.into()),
        Some(status) if status != Status::Active.as_str() => {
            return Err(PeopleRefusal::ConnectionDisabled
                .refuse()
                .expected(Status::Active.as_str())
                .found(status));
        }
        Some(_) => {}
    }
    if situation.key_revoked {
        return Err(PeopleRefusal::KeyRevoked.into());
    }
    if attempt.asked_organization.is_some() && situation.organization.is_none() {
        return Err(PeopleRefusal::OrganizationUnknown.into());
    }
    let by_domain = attempt.routed_by_domain && situation.has_domain;
    let by_organization = situation.owner.is_some() || situation.links_connection;
    if situation.enabled || by_domain || by_organization {
        Ok(())
    } else {
        Err(PeopleRefusal::ConnectionNotEnabled
            .refuse()
            .found(attempt.client_id))
    }
}

fn organization_facts(situation: &Situation, settings: &CommonOptions) -> Option<Facts> {
    let code = situation.organization.as_deref()?;
    let owner = situation.owner.as_deref();
    Some(Facts {
        owns_connection: owner == Some(code),
        foreign_connection: owner.is_some_and(|owner| owner != code),
        links_connection: situation.links_connection,
        has_connections: situation.has_connections,
        auto_membership: situation.auto_membership.unwrap_or(false),
        auto_join: settings.is_auto_join_organization_enabled,
        member: situation.member,
    })
}

fn email_is_verified(identity: &VerifiedIdentity, settings: &CommonOptions) -> bool {
    identity.email.as_ref().is_some_and(|email| {
        let assigned = link::domain_is_assigned(&email.address, &settings.home_realm_domains);
        link::email_is_verified(
            email.claim,
            email.authoritative,
            settings.is_trusted,
            assigned,
        )
    })
}
