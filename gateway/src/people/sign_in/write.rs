//! What a sign-in writes, once it is decided.

use serde_json::json;

use super::SignIn;
use super::decision::{Decision, IdentityChange};
use crate::crash;
use crate::people::identity;
use crate::store::query::{at_once, commit_with, execute};
use crate::store::{StoreError, Transaction, membership, outbox, person, to_json};

/// The connection's version and count of link changes, as they were read.
type Read = (Option<i64>, Option<i64>);

/// Writes all that belongs to the login, marks included, and commits.
///
/// # Errors
/// [`StoreError::Raced`] or [`StoreError::Conflict`] where somebody else has changed since the reading what the
/// decision stands on: the connection and all that is written with a new version of it, or the user.
pub(super) async fn commit(
    mut transaction: Transaction,
    attempt: &SignIn<'_>,
    decision: &Decision,
    read: Read,
    sid: &str,
) -> Result<(), StoreError> {
    match &decision.identity {
        IdentityChange::Create => create(&mut transaction, attempt, decision).await?,
        IdentityChange::Bind(awaited) => bind(&mut transaction, attempt, decision, awaited).await?,
        IdentityChange::None => {}
    }
    if decision.profile_changed {
        person::update_profile(&mut transaction, &decision.user, attempt.now).await?;
        let payload =
            json!({ "user_id": decision.user.id, "connection_id": attempt.connection.id });
        outbox::append(&mut transaction, "user.updated", &payload, attempt.now).await?;
    }
    if let (true, Some(code)) = (decision.joins, &decision.organization) {
        membership::join(&mut transaction, code, &decision.user.id, attempt.now).await?;
    }
    crash::here("sign_in.written");
    record_login(transaction, attempt, decision, read, sid).await
}

/// Marks, login session and event: what every login writes, in one trip with the commit.
async fn record_login(
    transaction: Transaction,
    attempt: &SignIn<'_>,
    decision: &Decision,
    read: Read,
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
    commit_with!(transaction, held
        "SELECT 1 FROM connections c JOIN users u ON u.id = $6
         WHERE c.id = $9 AND c.version = $14 AND c.links = $15 AND NOT u.is_suspended", [
        login_mark = "INSERT INTO marks (kind, key, expires_at) VALUES ('login', $1, $2)",
        assertion_mark = "INSERT INTO marks (kind, key, expires_at) SELECT 'assertion', $3, $4 WHERE $3 IS NOT NULL",
        login_session = "INSERT INTO login_sessions (sid, user_id, identity_id, client_id, connection_id, organization_code,
            upstream_session, created_at) VALUES ($5, $6, $7, $8, $9, $10, $11, $12)",
        event = "INSERT INTO outbox (type, payload, created_at) VALUES ('user.authenticated', $13, $12)",
    ], &attempt.handle.as_bytes()[..], attempt.handle_until.as_millisecond(),
        replay.map(|mark| &mark.key[..]), replay.map(|mark| mark.until.as_millisecond()),
        sid, &decision.user.id, &decision.identity_id, attempt.client_id, attempt.connection.id.as_str(),
        decision.organization.as_deref(), upstream, attempt.now.as_millisecond(), payload.to_string(),
        read.0, read.1)
}

async fn create(
    transaction: &mut Transaction,
    attempt: &SignIn<'_>,
    decision: &Decision,
) -> Result<(), StoreError> {
    let user = &decision.user;
    let subject = &attempt.identity.subject;
    let payload = json!({ "user_id": user.id, "connection_id": attempt.connection.id });
    at_once!(*transaction, [
        new_user = "INSERT INTO users (id, email, email_verified, given_name, family_name, name, picture, is_suspended,
            created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, FALSE, $8, $8)",
        new_identity = "INSERT INTO identities (id, user_id, connection_id, issuer, subject, type, created_at)
         VALUES ($9, $1, $10, $11, $12, $13, $8)",
        event = "INSERT INTO outbox (type, payload, created_at) VALUES ('user.created', $14, $8)",
    ], &user.id, user.email.as_deref(), user.email_verified, user.given_name.as_deref(), user.family_name.as_deref(),
        user.name.as_deref(), user.picture.as_deref(), attempt.now.as_millisecond(), &decision.identity_id,
        attempt.connection.id.as_str(), &subject.issuer, &subject.value,
        identity::kind_of(attempt.connection.spec).as_str(), payload.to_string())?;
    Ok(())
}

/// The identity is the login's subject from now on, unless another login was quicker.
///
/// # Errors
/// [`StoreError::Raced`] if one was.
async fn bind(
    transaction: &mut Transaction,
    attempt: &SignIn<'_>,
    decision: &Decision,
    awaited: &str,
) -> Result<(), StoreError> {
    let subject = &attempt.identity.subject;
    let bound = execute!(
        *transaction,
        "UPDATE identities SET issuer = $2, subject = $3 WHERE id = $1 AND issuer IS NULL",
        &decision.identity_id,
        &subject.issuer,
        &subject.value
    )?;
    if bound == 0 {
        return Err(StoreError::Raced);
    }
    let payload = json!({
        "identity_id": decision.identity_id,
        "user_id": decision.user.id,
        "connection_id": attempt.connection.id,
        "value": awaited,
    });
    outbox::append(transaction, "identity.linked", &payload, attempt.now).await
}
