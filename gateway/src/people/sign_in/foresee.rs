//! What a sign-in would come to: the same facts and the same rules, and nothing is written.

use fedgate_providers::connection::Status;
use fedgate_providers::error::Refusal;

use super::decision::{IdentityChange, decide};
use super::situation::Situation;
use super::{Fresh, SignIn};
use crate::store::Store;
use crate::store::person::User;

/// What a sign-in would come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreseen {
    /// Whose login it would be.
    pub whose: Whose,
    /// The user as it would be stored from then on; a new one has no id yet.
    pub user: User,
    /// The organization signed in to.
    pub organization: Option<String>,
    /// The person would become a member of it.
    pub joins: bool,
}

/// How the identity would lead to a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// A new user's.
    New,
    /// That of a user who signed in by it before.
    Known,
    /// That of a user whom an operator entered beforehand, and who would claim the identity.
    Waiting,
}

/// Decides on a sign-in without an application, as if its connection were active.
///
/// # Errors
/// What the sign-in would be refused for: a [`PeopleRefusal`](crate::people::PeopleRefusal).
pub async fn foresee(store: &Store, attempt: SignIn<'_>) -> Result<Foreseen, Refusal> {
    let mut transaction = store.turn().await?;
    let mut situation = Situation::read(&mut transaction, &attempt).await?;
    // Rolled back: only the decision is wanted.
    drop(transaction);
    situation.status = situation.status.map(|_| Status::Active.as_str().to_owned());
    situation.enabled = true;
    let nobody = Fresh {
        user_id: String::new(),
        identity_id: String::new(),
        sid: String::new(),
    };
    let decision = decide(&attempt, situation, &nobody)?;
    Ok(Foreseen {
        whose: match decision.identity {
            IdentityChange::Create => Whose::New,
            IdentityChange::Bind(_) => Whose::Waiting,
            IdentityChange::None => Whose::Known,
        },
        user: decision.user,
        organization: decision.organization,
        joins: decision.joins,
    })
}
