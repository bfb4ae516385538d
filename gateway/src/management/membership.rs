//! `/api/v1/organizations/{org_code}/users`

use std::collections::HashSet;

use axum::body::Body;
use axum::extract::{Extension, Path, State};
use axum::response::Response;
use fedgate_providers::connection::Problem;
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::ApiRefusal;
use super::answer::{ApiError, ok};
use super::api::Api;
use super::body::{self, Members};
use super::operation::{Operation, PathParameter};
use super::organization::{self, CODE};
use super::query::{Query, TOKEN_PAGING, next_token};
use crate::app::{App, Shared};
use crate::store::StoreError;
use crate::store::membership::{Member, MembersChanged};

/// The most users that one request names.
const USERS_MOST: usize = 1000;
/// The longest id, in bytes.
const ID_BYTES: usize = 64;

/// A member of an organization.
#[derive(Serialize, ToSchema)]
struct MemberView {
    #[schema(example = "kp_c3143a4b50ad43c88e541d9077681782")]
    id: String,
    email: Option<String>,
    full_name: String,
    last_name: Option<String>,
    first_name: Option<String>,
    picture: Option<String>,
    /// RFC 3339.
    joined_on: String,
    is_suspended: bool,
    /// Always empty: roles are the core's.
    roles: Vec<String>,
}

/// A page of members, newest first.
#[derive(Serialize, ToSchema)]
struct MemberList {
    organization_users: Vec<MemberView>,
    /// Where the next page begins, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// Who became a member.
#[derive(Serialize, ToSchema)]
struct MembersAdded {
    /// Ids of those who were none before.
    users_added: Vec<String>,
}

/// What a change came to.
#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names are Kinde's")]
struct MembersUpdated {
    /// Ids of those who were no members before.
    users_added: Vec<String>,
    /// Ids of those who were members already.
    users_updated: Vec<String>,
    /// Ids of those who are no members any more.
    users_removed: Vec<String>,
}

const USER_ID: PathParameter = PathParameter {
    name: "user_id",
    says: "The id of a user: kp_ and 32 hex digits.",
    example: "kp_c3143a4b50ad43c88e541d9077681782",
};

pub(super) fn routes(api: Api) -> Api {
    api.at("/organizations/{org_code}/users", &[CODE])
        .get(
            list,
            Operation::new(
                "GetOrganizationUsers",
                "List the members of an organization",
                &["read:organization_users"],
            )
            .query(&TOKEN_PAGING)
            .answers::<MemberList>(StatusCode::OK),
        )
        .post(
            add,
            Operation::new(
                "AddOrganizationUsers",
                "Make users members of an organization",
                &["create:organization_users"],
            )
            .takes("NewMembers", schema(false))
            .answers::<MembersAdded>(StatusCode::OK)
            .conflicts(),
        )
        .patch(
            change,
            Operation::new(
                "UpdateOrganizationUsers",
                "Make users members of an organization, or with the operation delete take them out",
                &["update:organization_users"],
            )
            .takes("MembersChange", schema(true))
            .answers::<MembersUpdated>(StatusCode::OK)
            .conflicts(),
        )
        .at(
            "/organizations/{org_code}/users/{user_id}",
            &[CODE, USER_ID],
        )
        .delete(
            remove,
            Operation::new(
                "RemoveOrganizationUser",
                "Take a user out of an organization",
                &["delete:organization_users"],
            ),
        )
}

pub(super) async fn list(
    State(app): State<Shared>,
    Path(code): Path<String>,
    Extension(query): Extension<Query>,
) -> Result<Response, ApiError> {
    let position = query.position()?;
    let organization = organization::stored(&app, &code).await?;
    let request = query.page_from(position.as_ref());
    let page = app.store.members(&organization.code, request).await?;
    let list = MemberList {
        next_token: next_token(&page, Member::position),
        organization_users: page.items.into_iter().map(shown).collect(),
    };
    Ok(ok(StatusCode::OK, "Organization users", list))
}

/// `{users: [{id}]}`
pub(super) async fn add(
    State(app): State<Shared>,
    Path(code): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let asked = Asked::read(&app, body, false).await?;
    let changed = asked.applied(&app, &code).await?;
    let answer = MembersAdded {
        users_added: changed.added,
    };
    Ok(ok(StatusCode::OK, "Users added", answer))
}

/// `{users: [{id, operation}]}`: in, or with the operation `delete` out.
pub(super) async fn change(
    State(app): State<Shared>,
    Path(code): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let asked = Asked::read(&app, body, true).await?;
    let changed = asked.applied(&app, &code).await?;
    let answer = MembersUpdated {
        users_added: changed.added,
        users_updated: changed.present,
        users_removed: changed.removed,
    };
    Ok(ok(StatusCode::OK, "Users updated", answer))
}

pub(super) async fn remove(
    State(app): State<Shared>,
    Path((code, user_id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let organization = organization::stored(&app, &code).await?;
    let now = app.clock.now();
    let changed = app
        .store
        .change_members(&organization.code, &[], &[user_id], now)
        .await?;
    if changed.removed.is_empty() {
        return Err(ApiError::whole(ApiRefusal::MembershipUnknown));
    }
    Ok(ok(StatusCode::OK, "User removed", Value::Null))
}

fn shown(member: Member) -> MemberView {
    let user = member.user;
    MemberView {
        id: user.id,
        email: user.email,
        full_name: user.name.unwrap_or_default(),
        last_name: user.family_name,
        first_name: user.given_name,
        picture: user.picture,
        joined_on: member.joined_at.to_string(),
        is_suspended: user.is_suspended,
        roles: Vec::new(),
    }
}

/// Who is to come in and who is to go out.
#[derive(Default)]
struct Asked {
    add: Vec<String>,
    remove: Vec<String>,
    /// Where each of `add` stands in the request.
    indexes: Vec<usize>,
    seen: HashSet<String>,
}

impl Asked {
    async fn read(app: &App, body: Body, operations: bool) -> Result<Self, ApiError> {
        let body = body::object(body, app.limits.api_body_bytes).await?;
        let mut members = Members::new(&body);
        let asked = Self::members(&mut members, operations);
        members.finish()?;
        Ok(asked)
    }

    fn members(members: &mut Members<'_>, operations: bool) -> Self {
        let mut asked = Self::default();
        members.each("users", USERS_MOST, |index, user| {
            asked.read_user(index, user, operations);
        });
        members.require("users");
        asked
    }

    fn read_user(&mut self, index: usize, user: &mut Members<'_>, operations: bool) {
        let id = user.text("id", ID_BYTES).map(str::to_owned);
        user.require("id");
        for name in ["roles", "permissions"] {
            let given = user.texts(name, USERS_MOST);
            if given.is_some_and(|given| !given.is_empty()) {
                let refusal = ApiRefusal::MemberValue.refuse();
                user.refuse(refusal.expected("none: they are the core's"), name);
            }
        }
        let leaves = operations && user.choice("operation", &["delete"]).is_some();
        let Some(id) = id else {
            return;
        };
        if !self.seen.insert(id.clone()) {
            let refusal = ApiRefusal::MemberValue.refuse();
            user.refuse(refusal.expected("each user once").found(&id), "id");
        }
        if leaves {
            self.remove.push(id);
        } else {
            self.add.push(id);
            self.indexes.push(index);
        }
    }

    /// All of it or nothing.
    async fn applied(self, app: &App, code: &str) -> Result<MembersChanged, ApiError> {
        let organization = organization::stored(app, code).await?;
        self.check_users(app).await?;
        let now = app.clock.now();
        let changed = app
            .store
            .change_members(&organization.code, &self.add, &self.remove, now)
            .await;
        changed.map_err(|error| match error {
            // A user or the organization went in the meantime.
            StoreError::NotFound("referenced row") => ApiError::whole(ApiRefusal::LostUpdate),
            other => other.into(),
        })
    }

    /// Every user to add exists: told one by one, which a foreign key cannot.
    async fn check_users(&self, app: &App) -> Result<(), ApiError> {
        let known = app.store.known_users(&self.add).await?;
        let named = self.add.iter().zip(&self.indexes);
        let unknown = named.filter(|(id, _)| !known.contains(*id));
        let problems: Vec<Problem> = unknown
            .map(|(id, index)| {
                let refusal = ApiRefusal::MemberValue.refuse().found(id);
                let refusal = refusal.expected("the id of a user");
                Problem::new(refusal, format!("users.{index}.id"))
            })
            .collect();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems.into())
        }
    }
}

fn schema(operations: bool) -> Value {
    Members::schema(|members| {
        Asked::members(members, operations);
    })
}
