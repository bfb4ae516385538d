//! The sign-in: ONE transaction that makes a verified identity a user's login, or writes nothing.
//!
//! Two trips to the database, three for a new user: one begins and reads every fact at once, one writes and commits.
//! Between them stand only pure decisions. SQLite's `BEGIN IMMEDIATE` keeps all other writers out. On a server (READ
//! COMMITTED), two logins that race meet at a unique key, and a login and a change to its connection or user meet at
//! that row, which the writing locks and compares: the loser decides again on what the winner wrote.

mod decision;
mod foresee;
mod situation;
mod write;

use std::future::Future;

use fedgate_certs::Timestamp;
use fedgate_providers::connection::Connection;
use fedgate_providers::error::Refusal;
use fedgate_providers::identity::VerifiedIdentity;
use fedgate_providers::login::Handle;
use rand::CryptoRng;

use crate::crash;
use crate::people::{identity, user};
use crate::store::login_session::new_sid;
use crate::store::person::User;
use crate::store::{Store, StoreError, TRIES};
use decision::{IdentityChange, decide};
pub use foresee::{Foreseen, Whose, foresee};
use situation::Situation;

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
/// A [`PeopleRefusal`](super::PeopleRefusal) or a [`StoreRefusal`](crate::store::StoreRefusal); nothing is written then.
pub fn sign_in<'a>(
    store: &'a Store,
    attempt: SignIn<'a>,
    rng: &mut dyn CryptoRng,
) -> impl Future<Output = Result<SignedIn, Refusal>> + Send + use<'a> {
    let fresh = Fresh::draw(attempt.now, rng);
    // The two databases' statements make it large, and it is held by everything around it.
    Box::pin(async move { transact(store, &attempt, &fresh).await })
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
            user_id: user::new_id(rng),
            identity_id: identity::new_id(rng),
            sid: new_sid(now, rng),
        }
    }
}

/// Why a try wrote nothing.
enum Undone {
    Refused(Refusal),
    Store(StoreError),
}

impl Undone {
    /// Somebody else wrote meanwhile what this try was decided without.
    fn is_race(&self) -> bool {
        use StoreError::{Conflict, NotFound, Raced};
        matches!(self, Self::Store(Raced | Conflict(_) | NotFound(_)))
    }
}

impl From<Refusal> for Undone {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for Undone {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

async fn transact(store: &Store, attempt: &SignIn<'_>, fresh: &Fresh) -> Result<SignedIn, Refusal> {
    let mut tries = 1;
    loop {
        match once(store, attempt, fresh).await {
            Err(undone) if undone.is_race() && tries < TRIES => tries += 1,
            Err(Undone::Store(error)) => return Err(error.into()),
            Err(Undone::Refused(refusal)) => return Err(refusal),
            Ok(signed_in) => return Ok(signed_in),
        }
    }
}

async fn once(store: &Store, attempt: &SignIn<'_>, fresh: &Fresh) -> Result<SignedIn, Undone> {
    let mut transaction = store.turn().await?;
    let situation = Situation::read(&mut transaction, attempt).await?;
    crash::here("sign_in.read");
    let read = (situation.version, situation.links);
    let decision = decide(attempt, situation, fresh)?;
    write::commit(transaction, attempt, &decision, read, &fresh.sid).await?;
    crash::here("sign_in.committed");
    let mut user = decision.user;
    user.version += i64::from(decision.profile_changed);
    Ok(SignedIn {
        email_verified: user.email_verified,
        user,
        identity_id: decision.identity_id,
        sid: fresh.sid.clone(),
        organization: decision.organization,
        created: decision.identity == IdentityChange::Create,
    })
}

#[cfg(test)]
mod tests;
