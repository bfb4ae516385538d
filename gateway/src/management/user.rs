//! `/api/v1/user` and `/api/v1/users`

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::ApiRefusal;
use super::answer::{ApiError, ok};
use super::api::Api;
use super::body;
use super::operation::{Kind, Operation, QueryParameter};
use super::precondition::{check_version, tagged, version_asked};
use super::query::{Query, TOKEN_PAGING, next_token};
use super::user_input::{Changed, Entered};
use super::user_view::{self, UserChanged, UserCreated, UserList, UserView};
use crate::app::{App, Shared};
use crate::people::user::new_id;
use crate::store::StoreError;
use crate::store::person::{User, UserFilter};

/// The most addresses or ids that one list is filtered by.
const FILTER_MOST: usize = 100;
/// What `expand` may add.
const EXPANSIONS: [&str; 2] = ["organizations", "identities"];

const ID: QueryParameter = QueryParameter {
    name: "id",
    says: "The id of a user: kp_ and 32 hex digits.",
    kind: Kind::Required,
};
const EXPAND: QueryParameter = QueryParameter {
    name: "expand",
    says: "What to add to a user, separated by commas: organizations, identities.",
    kind: Kind::Text,
};
const EMAIL: QueryParameter = QueryParameter {
    name: "email",
    says: "Only users with one of these addresses, separated by commas, whatever their case.",
    kind: Kind::Text,
};
const USER_ID: QueryParameter = QueryParameter {
    name: "user_id",
    says: "Only users with one of these ids, separated by commas.",
    kind: Kind::Text,
};
const IS_DELETE_PROFILE: QueryParameter = QueryParameter {
    name: "is_delete_profile",
    says: "Changes nothing: no profile is kept of a user who is deleted.",
    kind: Kind::Boolean,
};

pub(super) fn routes(api: Api) -> Api {
    api.at("/users", &[])
        .get(
            list,
            Operation::new("GetUsers", "List users", &["read:users"])
                .query(&TOKEN_PAGING)
                .query(&[EMAIL, USER_ID, EXPAND])
                .answers::<UserList>(StatusCode::OK),
        )
        .at("/user", &[])
        .get(
            read,
            Operation::new("GetUserData", "Read a user", &["read:users"])
                .query(&[ID, EXPAND])
                .answers_bare::<UserView>(StatusCode::OK)
                .tagged()
                .finds(),
        )
        .post(
            create,
            Operation::new("CreateUser", "Enter a user", &["create:users"])
                .takes("NewUser", Entered::schema())
                .answers::<UserCreated>(StatusCode::CREATED)
                .tagged()
                .conflicts(),
        )
        .patch(
            change,
            Operation::new(
                "UpdateUser",
                "Change members of a user, or suspend one",
                &["update:users"],
            )
            .query(&[ID])
            .takes("UserChange", Changed::schema())
            .answers::<UserChanged>(StatusCode::OK)
            .tagged()
            .finds()
            .conditional(),
        )
        .delete(
            delete,
            Operation::new(
                "DeleteUser",
                "Delete a user with identities, memberships and login sessions",
                &["delete:users"],
            )
            .query(&[ID, IS_DELETE_PROFILE])
            .finds()
            .conditional(),
        )
}

pub(super) async fn list(
    State(app): State<Shared>,
    Extension(query): Extension<Query>,
) -> Result<Response, ApiError> {
    let (emails, ids) = (
        query.words(EMAIL.name, FILTER_MOST)?,
        query.words(USER_ID.name, FILTER_MOST)?,
    );
    let filter = UserFilter {
        emails: &emails,
        ids: &ids,
    };
    let expand = query.choices(EXPAND.name, EXPANSIONS)?;
    let position = query.position()?;
    let request = query.page_from(position.as_ref());
    let page = app.store.users(filter, request).await?;
    let mut users: Vec<UserView> = page.items.iter().map(user_view::entry).collect();
    expanded(&app, &mut users, expand).await?;
    let next_token = next_token(&page, User::position);
    let list = UserList { users, next_token };
    Ok(ok(StatusCode::OK, "Users", list))
}

pub(super) async fn create(State(app): State<Shared>, body: Body) -> Result<Response, ApiError> {
    let body = body::object(body, app.limits.api_body_bytes).await?;
    let id = new_id(&mut app.randomness.rng());
    let entered = Entered::read(&body, id, app.clock.now())?;
    let (user, organization) = (&entered.user, entered.organization.as_deref());
    if let Some(code) = organization
        && app.store.organization(code).await?.is_none()
    {
        let refusal = ApiRefusal::MemberValue.refuse().found(code);
        let refusal = refusal.expected("the code of an organization");
        return Err(ApiError::of(refusal, "organization_code"));
    }
    app.store
        .create_user(user, organization)
        .await
        .map_err(taken)?;
    let answer = ok(StatusCode::CREATED, "User created", UserCreated::of(user));
    Ok(tagged(answer, user.version))
}

/// `?id=kp_…`. Kinde answers with the bare object.
pub(super) async fn read(
    State(app): State<Shared>,
    Extension(query): Extension<Query>,
) -> Result<Response, ApiError> {
    let expand = query.choices(EXPAND.name, EXPANSIONS)?;
    let user = asked(&app, &query).await?;
    let last = app.store.last_sign_in(&user.id).await?;
    let mut views = [user_view::single(&user, last)];
    expanded(&app, &mut views, expand).await?;
    let [view] = views;
    Ok(tagged(Json(view).into_response(), user.version))
}

/// `?id=kp_…`
pub(super) async fn change(
    State(app): State<Shared>,
    headers: HeaderMap,
    Extension(query): Extension<Query>,
    body: Body,
) -> Result<Response, ApiError> {
    let body = body::object(body, app.limits.api_body_bytes).await?;
    let changed = Changed::read(&body)?;
    let before = asked(&app, &query).await?;
    check_version(&headers, before.version)?;
    let after = changed.applied(before);
    let version = app
        .store
        .update_user(&after, app.clock.now())
        .await
        .map_err(taken)?;
    let answer = ok(StatusCode::OK, "User updated", UserChanged::of(after));
    Ok(tagged(answer, version))
}

/// `?id=kp_…`
pub(super) async fn delete(
    State(app): State<Shared>,
    headers: HeaderMap,
    Extension(query): Extension<Query>,
) -> Result<Response, ApiError> {
    let user = asked(&app, &query).await?;
    check_version(&headers, user.version)?;
    let expected = version_asked(&headers, user.version);
    app.store
        .delete_user(&user.id, expected, app.clock.now())
        .await?;
    Ok(ok(StatusCode::OK, "User deleted", Value::Null))
}

pub(super) async fn stored(app: &App, id: &str) -> Result<User, ApiError> {
    let found = app.store.user(id).await?;
    found.ok_or_else(|| ApiError::whole(ApiRefusal::UserUnknown))
}

async fn asked(app: &App, query: &Query) -> Result<User, ApiError> {
    stored(app, query.text(ID.name).unwrap_or_default()).await
}

fn taken(error: StoreError) -> ApiError {
    match error {
        StoreError::Conflict("row") => ApiError::of(ApiRefusal::ProvidedIdTaken, "provided_id"),
        // The organization of a new user went in the meantime.
        StoreError::NotFound("referenced row") => ApiError::whole(ApiRefusal::LostUpdate),
        other => other.into(),
    }
}

/// Adds what `expand` asks for to users, with one statement each.
async fn expanded(
    app: &App,
    users: &mut [UserView],
    [organizations, identities]: [bool; 2],
) -> Result<(), ApiError> {
    let ids: Vec<String> = users.iter().map(|user| user.id.clone()).collect();
    if organizations {
        user_view::with_organizations(users, app.store.memberships(&ids).await?);
    }
    if identities {
        user_view::with_identities(users, app.store.identities_of(&ids).await?);
    }
    Ok(())
}
