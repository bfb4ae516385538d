//! `/api/v1/users/{user_id}/identities` and `/api/v1/identities/{identity_id}`

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, Path, State};
use axum::response::{IntoResponse as _, Response};
use fedgate_providers::connection::ConnectionId;
use fedgate_providers::spec::Spec;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::ApiRefusal;
use super::answer::{ApiError, ok};
use super::api::Api;
use super::body::{self, Members};
use super::operation::{Operation, PathParameter};
use super::query::{PAGING, Query};
use super::user;
use crate::app::{App, Shared};
use crate::people::claim::expectation;
use crate::people::identity::{kind_of, new_id};
use crate::store::StoreError;
use crate::store::identity::{Identity, IdentityKind};

/// The longest value that an identity waits for, in bytes.
const VALUE_BYTES: usize = 1024;
/// The longest id, in bytes.
const ID_BYTES: usize = 64;

/// An identity in Kinde's members, and beside them whose it is and who proves it.
#[derive(Serialize, ToSchema)]
struct IdentityView {
    #[schema(example = "identity_019617f0cd72460a42192cf37b41084f")]
    id: String,
    /// `enterprise` or `social`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Whether its person has signed in: until then it waits.
    is_confirmed: bool,
    /// RFC 3339.
    created_on: String,
    /// RFC 3339; absent before the first login, and as far back as login sessions are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_login_on: Option<String>,
    /// The subject at the identity provider; of one that waits, the address or subject that it waits for.
    name: String,
    /// The address that it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    connection_id: String,
    /// Whether it is the one whose profile the user's follows.
    is_primary: bool,
    user_id: String,
    /// The identity provider that proved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
}

/// A page of identities, newest first.
#[derive(Serialize, ToSchema)]
struct IdentityList {
    identities: Vec<IdentityView>,
    /// Whether the list goes on in the direction of paging.
    has_more: bool,
}

/// What a creation answers.
#[derive(Serialize, ToSchema)]
struct IdentityCreated {
    identity: CreatedIdentity,
}

#[derive(Serialize, ToSchema)]
struct CreatedIdentity {
    #[schema(example = "identity_019617f0cd72460a42192cf37b41084f")]
    id: String,
}

const USER_ID: PathParameter = PathParameter {
    name: "user_id",
    says: "The id of a user: kp_ and 32 hex digits.",
    example: "kp_c3143a4b50ad43c88e541d9077681782",
};
const IDENTITY_ID: PathParameter = PathParameter {
    name: "identity_id",
    says: "The id of an identity: identity_ and 32 hex digits.",
    example: "identity_019617f0cd72460a42192cf37b41084f",
};

pub(super) fn routes(api: Api) -> Api {
    api.at("/users/{user_id}/identities", &[USER_ID])
        .get(
            list,
            Operation::new(
                "GetUserIdentities",
                "List the identities of a user",
                &["read:user_identities", "read:identities"],
            )
            .query(&PAGING)
            .answers::<IdentityList>(StatusCode::OK),
        )
        .post(
            create,
            Operation::new(
                "CreateUserIdentity",
                "Enter an identity that waits for its person",
                &["create:user_identities", "create:identities"],
            )
            .takes("NewIdentity", schema())
            .answers::<IdentityCreated>(StatusCode::CREATED)
            .conflicts(),
        )
        .at("/identities/{identity_id}", &[IDENTITY_ID])
        .get(
            read,
            Operation::new("GetIdentity", "Read an identity", &["read:identities"])
                .answers_bare::<IdentityView>(StatusCode::OK),
        )
        .patch(
            change,
            Operation::new(
                "UpdateIdentity",
                "Make an identity the one whose profile its user's follows",
                &["update:identities"],
            )
            .takes("IdentityChange", change_schema()),
        )
        .delete(
            delete,
            Operation::new(
                "DeleteIdentity",
                "Delete an identity with its login sessions; its user stays",
                &["delete:identities"],
            ),
        )
}

pub(super) async fn list(
    State(app): State<Shared>,
    Path(user_id): Path<String>,
    Extension(query): Extension<Query>,
) -> Result<Response, ApiError> {
    let user = user::stored(&app, &user_id).await?;
    let page = app.store.identities(&user.id, query.page()?).await?;
    let list = IdentityList {
        identities: page.items.into_iter().map(shown).collect(),
        has_more: page.has_more,
    };
    Ok(ok(StatusCode::OK, "Identities", list))
}

/// Enters an identity that waits for its person.
pub(super) async fn create(
    State(app): State<Shared>,
    Path(user_id): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let body = body::object(body, app.limits.api_body_bytes).await?;
    let input = Input::read(&body)?;
    let user = user::stored(&app, &user_id).await?;
    check_connection(&app, &input).await?;
    let identity = Identity {
        id: new_id(&mut app.randomness.rng()),
        user_id: user.id,
        connection_id: input.connection_id,
        issuer: None,
        subject: input.value,
        kind: input.kind,
        is_primary: false,
        created_at: app.clock.now(),
        last_login_at: None,
    };
    app.store
        .create_identity(&identity)
        .await
        .map_err(not_entered)?;
    let identity = CreatedIdentity { id: identity.id };
    let created = IdentityCreated { identity };
    Ok(ok(StatusCode::CREATED, "Identity created", created))
}

/// Kinde answers with the bare object.
pub(super) async fn read(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let found = app.store.identity(&id).await?;
    let identity = found.ok_or_else(|| ApiError::whole(ApiRefusal::IdentityUnknown))?;
    Ok(Json(shown(identity)).into_response())
}

/// Nothing but `is_primary`: another value would be another person.
pub(super) async fn change(
    State(app): State<Shared>,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let body = body::object(body, app.limits.api_body_bytes).await?;
    let mut members = Members::new(&body);
    let is_primary = change_members(&mut members);
    members.finish()?;
    app.store.set_primary_identity(&id, is_primary).await?;
    Ok(ok(StatusCode::OK, "Identity updated", Value::Null))
}

/// The user stays, even without any identity: the operator may enter another one.
pub(super) async fn delete(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    app.store.delete_identity(&id, app.clock.now()).await?;
    Ok(ok(StatusCode::OK, "Identity deleted", Value::Null))
}

fn shown(identity: Identity) -> IdentityView {
    let is_confirmed = identity.issuer.is_some();
    let awaited = (!is_confirmed && identity.subject.contains('@')).then_some(&identity.subject);
    IdentityView {
        id: identity.id,
        kind: identity.kind.as_str(),
        is_confirmed,
        created_on: identity.created_at.to_string(),
        last_login_on: identity.last_login_at.map(|at| at.to_string()),
        email: awaited.cloned(),
        name: identity.subject,
        connection_id: identity.connection_id,
        is_primary: identity.is_primary,
        user_id: identity.user_id,
        issuer: identity.issuer,
    }
}

struct Input {
    kind: IdentityKind,
    value: String,
    connection_id: String,
}

impl Input {
    /// Reads the body of a creation.
    ///
    /// # Errors
    /// Every problem at once.
    fn read(body: &Map<String, Value>) -> Result<Self, ApiError> {
        let mut members = Members::new(body);
        let input = input(&mut members);
        members.finish()?;
        // Where a member is absent, its problem has been told.
        input.ok_or_else(|| ApiError::whole(ApiRefusal::BodyMalformed))
    }
}

fn input(members: &mut Members<'_>) -> Option<Input> {
    let kinds = [IdentityKind::Enterprise, IdentityKind::Social].map(IdentityKind::as_str);
    let kind = members.choice("type", &kinds);
    members.require("type");
    let text = members.text("value", VALUE_BYTES);
    members.require("value");
    let value = text.and_then(expectation);
    if let (Some(text), None) = (text, &value) {
        let refusal = ApiRefusal::MemberValue.refuse().found(text);
        let expected = "an e-mail address, or a subject without an @";
        members.refuse(refusal.expected(expected), "value");
    }
    let connection_id = members.text("connection_id", ID_BYTES).map(str::to_owned);
    members.require("connection_id");
    Some(Input {
        kind: IdentityKind::parse(kind?)?,
        value: value?,
        connection_id: connection_id?,
    })
}

fn schema() -> Value {
    Members::schema(|members| {
        input(members);
    })
}

fn change_members(members: &mut Members<'_>) -> bool {
    let is_primary = members.boolean("is_primary");
    members.require("is_primary");
    is_primary
}

fn change_schema() -> Value {
    Members::schema(|members| {
        change_members(members);
    })
}

/// The connection exists, and leads to identities of this kind.
async fn check_connection(app: &App, input: &Input) -> Result<(), ApiError> {
    let id = ConnectionId::parse(&input.connection_id);
    let connection = match &id {
        Some(id) => app.store.connection(id).await?,
        None => None,
    };
    let Some(connection) = connection else {
        let refusal = ApiRefusal::MemberValue.refuse().found(&input.connection_id);
        let refusal = refusal.expected("the id of a connection");
        return Err(ApiError::of(refusal, "connection_id"));
    };
    let kind = Spec::of(&connection.strategy).map(kind_of);
    if let Some(kind) = kind
        && kind != input.kind
    {
        let refusal = ApiRefusal::MemberValue.refuse().found(input.kind.as_str());
        return Err(ApiError::of(refusal.expected(kind.as_str()), "type"));
    }
    Ok(())
}

fn not_entered(error: StoreError) -> ApiError {
    match error {
        StoreError::Conflict("domain") => ApiError::of(ApiRefusal::DomainNotAssigned, "value"),
        StoreError::Conflict(_) => ApiError::of(ApiRefusal::IdentityTaken, "value"),
        // User or connection went in the meantime.
        StoreError::NotFound("referenced row") => ApiError::whole(ApiRefusal::LostUpdate),
        other => other.into(),
    }
}
