//! A user as callers see it. Kinde's types know no `null` here: what is not known is absent.

use std::collections::HashMap;

use fedgate_certs::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::identity::Identity;
use crate::store::person::User;

/// A user.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct UserView {
    #[schema(example = "kp_c3143a4b50ad43c88e541d9077681782")]
    pub(super) id: String,
    /// The operator's own id.
    #[serde(skip_serializing_if = "Option::is_none")]
    provided_id: Option<String>,
    /// Contact address, in a list. Never a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// The same, of one user.
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_name: Option<String>,
    /// Whether the operator keeps the user out.
    is_suspended: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    picture: Option<String>,
    /// RFC 3339; of one user, as far back as login sessions are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_signed_in: Option<String>,
    /// RFC 3339.
    created_on: String,
    /// Codes; where `expand` asks for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    organizations: Option<Vec<String>>,
    /// Where `expand` asks for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    identities: Option<Vec<IdentityEntry>>,
}

/// An identity beside its user.
#[derive(Debug, Serialize, ToSchema)]
struct IdentityEntry {
    /// `enterprise` or `social`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The subject, or what a subject is waited for by.
    identity: String,
    connection_id: String,
}

/// A page of users, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct UserList {
    pub(super) users: Vec<UserView>,
    /// Where the next page begins, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_token: Option<String>,
}

/// What a creation answers.
#[derive(Serialize, ToSchema)]
pub(super) struct UserCreated {
    #[schema(example = "kp_c3143a4b50ad43c88e541d9077681782")]
    id: String,
    created: bool,
    identities: Vec<EnteredIdentity>,
}

/// An identity of the request.
#[derive(Serialize, ToSchema)]
struct EnteredIdentity {
    /// `email`
    #[serde(rename = "type")]
    kind: &'static str,
    result: EnteredResult,
}

#[derive(Serialize, ToSchema)]
struct EnteredResult {
    created: bool,
}

/// What a change answers.
#[derive(Serialize, ToSchema)]
pub(super) struct UserChanged {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    given_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    family_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    is_suspended: bool,
    /// There are no passwords here.
    is_password_reset_requested: bool,
    picture: Option<String>,
}

impl UserCreated {
    pub(super) fn of(user: &User) -> Self {
        let entered = user.email.iter().map(|_| EnteredIdentity {
            kind: "email",
            result: EnteredResult { created: true },
        });
        Self {
            id: user.id.clone(),
            created: true,
            identities: entered.collect(),
        }
    }
}

impl UserChanged {
    pub(super) fn of(user: User) -> Self {
        Self {
            id: user.id,
            given_name: user.given_name,
            family_name: user.family_name,
            email: user.email,
            is_suspended: user.is_suspended,
            is_password_reset_requested: false,
            picture: user.picture,
        }
    }
}

/// A user in a list.
pub(super) fn entry(user: &User) -> UserView {
    UserView {
        email: user.email.clone(),
        ..common(user)
    }
}

/// A user alone, who last signed in at that time.
pub(super) fn single(user: &User, last_signed_in: Option<Timestamp>) -> UserView {
    UserView {
        preferred_email: user.email.clone(),
        last_signed_in: last_signed_in.map(|at| at.to_string()),
        ..common(user)
    }
}

fn common(user: &User) -> UserView {
    UserView {
        id: user.id.clone(),
        provided_id: user.provided_id.clone(),
        last_name: user.family_name.clone(),
        first_name: user.given_name.clone(),
        is_suspended: user.is_suspended,
        picture: user.picture.clone(),
        created_on: user.created_at.to_string(),
        ..UserView::default()
    }
}

/// Adds memberships, each a user's id and an organization's code.
pub(super) fn with_organizations(users: &mut [UserView], rows: Vec<(String, String)>) {
    let mut by_user = grouped(rows);
    for user in users {
        user.organizations = Some(by_user.remove(&user.id).unwrap_or_default());
    }
}

/// Adds identities.
pub(super) fn with_identities(users: &mut [UserView], identities: Vec<Identity>) {
    let rows = identities.into_iter().map(|identity| {
        let entry = IdentityEntry {
            kind: identity.kind.as_str(),
            identity: identity.subject,
            connection_id: identity.connection_id,
        };
        (identity.user_id, entry)
    });
    let mut by_user = grouped(rows);
    for user in users {
        user.identities = Some(by_user.remove(&user.id).unwrap_or_default());
    }
}

fn grouped<T>(rows: impl IntoIterator<Item = (String, T)>) -> HashMap<String, Vec<T>> {
    let mut by_user: HashMap<String, Vec<T>> = HashMap::new();
    for (id, value) in rows {
        by_user.entry(id).or_default().push(value);
    }
    by_user
}
