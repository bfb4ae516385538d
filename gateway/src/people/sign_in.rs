//! The sign-in: ONE transaction that makes a verified identity a user's login, or writes nothing.
//!
//! Two trips to the database besides `BEGIN` and `COMMIT`: one reads every fact at once, one writes. Between them
//! stand only pure decisions. SQLite's `BEGIN IMMEDIATE` keeps all other writers out; on a server, two logins that
//! race meet at a unique key, and the loser decides again on what the winner wrote.

use std::future::Future;

use fedgate_certs::Timestamp;
use fedgate_providers::connection::{CommonOptions, Connection, Status};
use fedgate_providers::error::Refusal;
use fedgate_providers::identity::{EmailClaim, VerifiedIdentity};
use fedgate_providers::login::Handle;
use rand::CryptoRng;
use serde_json::json;

use super::organization::{self, Facts, Membership};
use super::situation::{Situation, settings_in_force};
use super::{PeopleRefusal, identity, link, sync, user};
use crate::crash;
use crate::store::login_session::new_sid;
use crate::store::person::User;
use crate::store::query::{batch, execute};
use crate::store::{Store, StoreError, StoreRefusal, Transaction, hex, outbox, person, to_json};

/// One login at its end: who was proved, and what was asked.
#[derive(Clone, Copy, Debug)]
pub struct SignIn<'a> {
    /// Who was proved.
    pub identity: &'a VerifiedIdentity,
    /// The login's handle: it works once.
    pub handle: Handle,
    /// When the sealed pending login expires; the handle is remembered until then.
    pub handle_until: Timestamp,
    /// The connection as it was when the identity was verified.
    pub connection: &'a Connection,
    /// The application that asked.
    pub client_id: &'a str,
    /// `org_code` of the authorization request.
    pub asked_organization: Option<&'a str>,
    /// The connection was reached by the person's e-mail domain.
    pub routed_by_domain: bool,
    /// The present moment.
    pub now: Timestamp,
}

/// A login that succeeded and is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// The user as stored from now on.
    pub user: User,
    /// The identity that led to the user.
    pub identity_id: String,
    /// This login: `sid` of its tokens.
    pub sid: String,
    /// The organization signed in to.
    pub organization: Option<String>,
    /// Whether applications may rely on the user's address.
    pub email_verified: bool,
    /// The user was made by this login.
    pub created: bool,
}

/// Signs a person in.
///
/// # Errors
/// A [`PeopleRefusal`] or a [`StoreRefusal`]; nothing is written then.
pub fn sign_in<'a>(
    store: &'a Store,
    attempt: SignIn<'a>,
    rng: &mut dyn CryptoRng,
) -> impl Future<Output = Result<SignedIn, Refusal>> + Send + use<'a> {
    let fresh = Fresh::draw(attempt.now, rng);
    async move {
        match try_once(store, &attempt, &fresh).await {
            Err(refusal) if refusal == StoreRefusal::Conflict => {
                try_once(store, &attempt, &fresh).await
            }
            outcome => outcome,
        }
    }
}

/// Names drawn before the transaction begins.
struct Fresh {
    user_id: String,
    identity_id: String,
    sid: String,
}

impl Fresh {
    fn draw(now: Timestamp, rng: &mut dyn CryptoRng) -> Self {
        Self {
            user_id: random_id("kp_", rng),
            identity_id: random_id("identity_", rng),
            sid: new_sid(now, rng),
        }
    }
}

/// What the facts lead to.
struct Decision {
    user: User,
    identity_id: String,
    /// What happens to the identity's row.
    identity: IdentityChange,
    profile_changed: bool,
    organization: Option<String>,
    joins: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum IdentityChange {
    None,
    /// It was entered beforehand: its issuer and subject are known from now on.
    Bind,
    /// It is new, and so is the user.
    Create,
}

async fn try_once(store: &Store, attempt: &SignIn<'_>, fresh: &Fresh) -> Result<SignedIn, Refusal> {
    let mut transaction = store.begin().await?;
    let situation = Situation::read(&mut transaction, attempt).await?;
    crash::here("sign_in.read");
    let decision = decide(attempt, situation, fresh)?;
    write(&mut transaction, attempt, &decision, &fresh.sid).await?;
    crash::here("sign_in.written");
    transaction.commit().await?;
    crash::here("sign_in.committed");
    Ok(SignedIn {
        email_verified: decision.user.email_verified,
        user: decision.user,
        identity_id: decision.identity_id,
        sid: fresh.sid.clone(),
        organization: decision.organization,
        created: decision.identity == IdentityChange::Create,
    })
}

/// Pure: every rule of the sign-in, over facts that were read in its transaction.
fn decide(attempt: &SignIn<'_>, situation: Situation, fresh: &Fresh) -> Result<Decision, Refusal> {
    admit_login(attempt, &situation)?;
    let settings = settings_in_force(attempt.connection, situation.changed_options.as_deref())?;
    let facts = organization_facts(attempt, &situation, &settings)?;
    if let Some(facts) = facts {
        organization::admit_connection(facts)?;
    }
    let verified = email_is_verified(attempt.identity, &settings);
    let organization = situation.organization.clone();
    let mut decision = match situation.found()? {
        Some(found) if found.user.is_suspended => return Err(PeopleRefusal::UserSuspended.into()),
        Some(found) => {
            let after = sync::synced(
                &found.user,
                attempt.identity,
                verified,
                settings.is_sync_user_profile_on_login,
            );
            Decision {
                profile_changed: after != found.user,
                user: after,
                identity_id: found.identity_id,
                identity: if found.is_bound {
                    IdentityChange::None
                } else {
                    IdentityChange::Bind
                },
                organization,
                joins: false,
            }
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

fn organization_facts(
    attempt: &SignIn<'_>,
    situation: &Situation,
    settings: &CommonOptions,
) -> Result<Option<Facts>, Refusal> {
    let Some(code) = situation.organization.as_deref() else {
        return if attempt.asked_organization.is_some() {
            Err(PeopleRefusal::OrganizationUnknown.into())
        } else {
            Ok(None)
        };
    };
    let owner = situation.owner.as_deref();
    Ok(Some(Facts {
        owns_connection: owner == Some(code),
        foreign_connection: owner.is_some_and(|owner| owner != code),
        links_connection: situation.links_connection,
        has_connections: situation.has_connections,
        auto_membership: situation.auto_membership.unwrap_or(false),
        auto_join: settings.is_auto_join_organization_enabled,
        member: situation.member,
    }))
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

/// The address that an identity entered beforehand may wait for: never one that the upstream itself disowns.
pub(super) fn address_to_expect(identity: &VerifiedIdentity) -> Option<&str> {
    let email = identity
        .email
        .as_ref()
        .filter(|email| email.claim != EmailClaim::Unverified)?;
    Some(&email.address)
}

async fn write(
    transaction: &mut Transaction,
    attempt: &SignIn<'_>,
    decision: &Decision,
    sid: &str,
) -> Result<(), StoreError> {
    match decision.identity {
        IdentityChange::Create => create(transaction, attempt, decision).await?,
        IdentityChange::Bind => bind(transaction, attempt, &decision.identity_id).await?,
        IdentityChange::None => {}
    }
    if decision.profile_changed {
        person::update(transaction, &decision.user, attempt.now).await?;
        let payload =
            json!({ "user_id": decision.user.id, "connection_id": attempt.connection.id });
        outbox::append(transaction, "user.updated", &payload, attempt.now).await?;
    }
    if let (true, Some(code)) = (decision.joins, &decision.organization) {
        join(transaction, attempt, &decision.user.id, code).await?;
    }
    record_login(transaction, attempt, decision, sid).await
}

/// Marks, login session and event: what every login writes, in one trip.
async fn record_login(
    transaction: &mut Transaction,
    attempt: &SignIn<'_>,
    decision: &Decision,
    sid: &str,
) -> Result<(), StoreError> {
    let replay = attempt.identity.replay.as_ref();
    let upstream = attempt
        .identity
        .upstream_session
        .as_ref()
        .map(|session| to_json(session, "upstream session"))
        .transpose()?;
    let payload = json!({
        "user_id": decision.user.id,
        "identity_id": decision.identity_id,
        "connection_id": attempt.connection.id,
        "client_id": attempt.client_id,
        "org_code": decision.organization,
        "sid": sid,
    });
    batch!(*transaction, [
        "INSERT INTO marks (kind, key, expires_at) VALUES ('login', $1, $2)",
        "INSERT INTO marks (kind, key, expires_at) SELECT 'assertion', $3, $4 WHERE $3 IS NOT NULL",
        "INSERT INTO login_sessions (sid, user_id, identity_id, client_id, connection_id, organization_code,
            upstream_session, created_at) VALUES ($5, $6, $7, $8, $9, $10, $11, $12)",
        "INSERT INTO outbox (type, payload, created_at) VALUES ('user.authenticated', $13, $12)",
    ], &attempt.handle.as_bytes()[..], attempt.handle_until.as_millisecond(),
        replay.map(|mark| &mark.key[..]), replay.map(|mark| mark.until.as_millisecond()),
        sid, &decision.user.id, &decision.identity_id, attempt.client_id, attempt.connection.id.as_str(),
        decision.organization.as_deref(), upstream, attempt.now.as_millisecond(), payload.to_string())?;
    Ok(())
}

async fn create(
    transaction: &mut Transaction,
    attempt: &SignIn<'_>,
    decision: &Decision,
) -> Result<(), StoreError> {
    let user = &decision.user;
    let subject = &attempt.identity.subject;
    let payload = json!({ "user_id": user.id, "connection_id": attempt.connection.id });
    batch!(*transaction, [
        "INSERT INTO users (id, email, email_verified, given_name, family_name, name, picture, is_suspended,
            created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, FALSE, $8, $8)",
        "INSERT INTO identities (id, user_id, connection_id, issuer, subject, type, created_at)
         VALUES ($9, $1, $10, $11, $12, $13, $8)",
        "INSERT INTO outbox (type, payload, created_at) VALUES ('user.created', $14, $8)",
    ], &user.id, user.email.as_deref(), user.email_verified, user.given_name.as_deref(), user.family_name.as_deref(),
        user.name.as_deref(), user.picture.as_deref(), attempt.now.as_millisecond(), &decision.identity_id,
        attempt.connection.id.as_str(), &subject.issuer, &subject.value,
        identity::kind_of(attempt.connection.spec).as_str(), payload.to_string())?;
    Ok(())
}

async fn bind(
    transaction: &mut Transaction,
    attempt: &SignIn<'_>,
    identity_id: &str,
) -> Result<(), StoreError> {
    let subject = &attempt.identity.subject;
    execute!(
        *transaction,
        "UPDATE identities SET issuer = $2, subject = $3 WHERE id = $1 AND issuer IS NULL",
        identity_id,
        &subject.issuer,
        &subject.value
    )?;
    Ok(())
}

async fn join(
    transaction: &mut Transaction,
    attempt: &SignIn<'_>,
    user_id: &str,
    code: &str,
) -> Result<(), StoreError> {
    execute!(
        *transaction,
        "INSERT INTO memberships (organization_code, user_id, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        code,
        user_id,
        attempt.now.as_millisecond()
    )?;
    let payload = json!({ "user_id": user_id, "org_code": code });
    outbox::append(
        transaction,
        "organization.member_added",
        &payload,
        attempt.now,
    )
    .await
}

fn random_id(prefix: &str, rng: &mut dyn CryptoRng) -> String {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    hex(prefix, &bytes)
}

#[cfg(test)]
mod tests;
