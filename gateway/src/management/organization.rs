//! `/api/v1/organization` and `/api/v1/organizations`

use axum::body::Body;
use axum::extract::{Extension, Path, State};
use axum::response::Response;
use axum::{Json, response::IntoResponse as _};
use fedgate_certs::Timestamp;
use fedgate_certs::hex;
use http::{HeaderMap, StatusCode};
use rand::CryptoRng;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::ApiRefusal;
use super::answer::{ApiError, ok};
use super::api::Api;
use super::body::{self, Members};
use super::operation::{Kind, Operation, PathParameter, QueryParameter};
use super::precondition::{check_version, tagged, version_asked};
use super::query::{CONFIRM, NEXT_TOKEN, PAGING, Query, next_token};
use crate::app::{App, Shared};
use crate::store::StoreError;
use crate::store::organization::Organization;

/// The longest name, handle and external id, in bytes.
const NAME_BYTES: usize = 256;

/// An organization.
#[derive(Serialize, ToSchema)]
struct OrganizationView {
    #[schema(example = "org_1ccfb819462")]
    code: String,
    name: String,
    /// Unique where there is one.
    handle: Option<String>,
    /// The operator's own id.
    external_id: Option<String>,
    /// Whether people may register themselves.
    is_allow_registrations: bool,
    /// Whether whoever asks to sign in to it becomes a member.
    is_auto_membership_enabled: bool,
    /// There is no default organization.
    is_default: bool,
    /// RFC 3339.
    created_on: String,
}

/// A page of organizations, newest first.
#[derive(Serialize, ToSchema)]
struct OrganizationList {
    organizations: Vec<OrganizationView>,
    /// Whether the list goes on in the direction of paging.
    has_more: bool,
    /// Where the next page towards the older ones begins, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// What a creation answers.
#[derive(Serialize, ToSchema)]
struct OrganizationCreated {
    organization: Created,
}

#[derive(Serialize, ToSchema)]
#[schema(as = CreatedOrganization)]
struct Created {
    #[schema(example = "org_1ccfb819462")]
    code: String,
}

/// The code of an organization in a path.
pub(super) const CODE: PathParameter = PathParameter {
    name: "org_code",
    says: "The code of an organization: org_ and 11 hex digits.",
    example: "org_1ccfb819462",
};
const BY_CODE: QueryParameter = QueryParameter {
    name: "code",
    says: "The code of an organization.",
    kind: Kind::Required,
};

pub(super) fn routes(api: Api) -> Api {
    api.at("/organizations", &[])
        .get(
            list,
            Operation::new(
                "GetOrganizations",
                "List organizations",
                &["read:organizations"],
            )
            .query(&PAGING)
            .query(&[NEXT_TOKEN])
            .answers::<OrganizationList>(StatusCode::OK),
        )
        .at("/organization", &[])
        .get(
            read,
            Operation::new(
                "GetOrganization",
                "Read an organization",
                &["read:organizations"],
            )
            .query(&[BY_CODE])
            .answers_bare::<OrganizationView>(StatusCode::OK)
            .tagged()
            .finds(),
        )
        .post(
            create,
            Operation::new(
                "CreateOrganization",
                "Create an organization",
                &["create:organizations"],
            )
            .takes("NewOrganization", schema(true))
            .answers::<OrganizationCreated>(StatusCode::CREATED)
            .tagged()
            .conflicts(),
        )
        .at("/organization/{org_code}", &[CODE])
        .patch(
            change,
            Operation::new(
                "UpdateOrganization",
                "Change members of an organization",
                &["update:organizations"],
            )
            .takes("OrganizationChange", schema(false))
            .tagged()
            .conditional(),
        )
        .delete(
            delete,
            Operation::new(
                "DeleteOrganization",
                "Delete an organization",
                &["delete:organizations"],
            )
            .query(&[CONFIRM])
            .conditional(),
        )
}

/// The schema of a body; a change may leave everything out.
fn schema(creating: bool) -> Value {
    let mut schema = Members::schema(|members| {
        members_of(members, String::new(), Timestamp::UNIX_EPOCH);
    });
    if !creating && let Some(members) = schema.as_object_mut() {
        members.remove("required");
    }
    schema
}

pub(super) async fn create(State(app): State<Shared>, body: Body) -> Result<Response, ApiError> {
    let body = body::object(body, app.limits.api_body_bytes).await?;
    let organization = described(&body, new_code(&mut app.randomness.rng()), app.clock.now())?;
    app.store
        .create_organization(&organization)
        .await
        .map_err(taken)?;
    let version = organization.version;
    let organization = Created {
        code: organization.code,
    };
    let created = OrganizationCreated { organization };
    let answer = ok(StatusCode::CREATED, "Organization created", created);
    Ok(tagged(answer, version))
}

/// `?code=org_…`. Kinde answers with the bare object.
pub(super) async fn read(
    State(app): State<Shared>,
    Extension(query): Extension<Query>,
) -> Result<Response, ApiError> {
    let code = query.text(BY_CODE.name).unwrap_or_default();
    let organization = stored(&app, code).await?;
    let answer = Json(shown(&organization)).into_response();
    Ok(tagged(answer, organization.version))
}

pub(super) async fn list(
    State(app): State<Shared>,
    Extension(query): Extension<Query>,
) -> Result<Response, ApiError> {
    let position = query.position()?;
    let request = match &position {
        Some(position) => query.page_from(Some(position)),
        None => query.page()?,
    };
    let page = app.store.organizations(request).await?;
    let list = OrganizationList {
        organizations: page.items.iter().map(shown).collect(),
        has_more: page.has_more,
        next_token: next_token(&page, Organization::position),
    };
    Ok(ok(StatusCode::OK, "Organizations", list))
}

pub(super) async fn change(
    State(app): State<Shared>,
    headers: HeaderMap,
    Path(code): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let patch = body::object(body, app.limits.api_body_bytes).await?;
    let before = stored(&app, &code).await?;
    check_version(&headers, before.version)?;
    let Value::Object(mut members) = json!({
        "name": before.name,
        "handle": before.handle,
        "external_id": before.external_id,
        "is_allow_registrations": before.is_allow_registrations,
        "is_auto_membership_enabled": before.is_auto_membership_enabled,
    }) else {
        return Err(ApiError::whole(ApiRefusal::BodyMalformed));
    };
    members.extend(patch);
    let after = Organization {
        version: before.version,
        ..described(&members, before.code, before.created_at)?
    };
    let changed = app
        .store
        .update_organization(&after, app.clock.now())
        .await
        .map_err(taken)?;
    let answer = ok(StatusCode::OK, "Organization updated", Value::Null);
    Ok(tagged(answer, changed))
}

pub(super) async fn delete(
    State(app): State<Shared>,
    headers: HeaderMap,
    Path(code): Path<String>,
    Extension(query): Extension<Query>,
) -> Result<Response, ApiError> {
    let organization = stored(&app, &code).await?;
    check_version(&headers, organization.version)?;
    check_dependants(&app, &organization.code, &query).await?;
    let expected = version_asked(&headers, organization.version);
    let deleted = app
        .store
        .delete_organization(&organization.code, expected, app.clock.now())
        .await;
    deleted.map_err(|error| match error {
        StoreError::Conflict("connections") => ApiError::whole(ApiRefusal::OrganizationInUse),
        other => other.into(),
    })?;
    Ok(ok(StatusCode::OK, "Organization deleted", Value::Null))
}

async fn check_dependants(app: &App, code: &str, query: &Query) -> Result<(), ApiError> {
    let dependants = app.store.organization_dependants(code).await?;
    if query.is_confirmed() || !dependants.any() {
        return Ok(());
    }
    let (users, connections) = (dependants.users, dependants.connections);
    let refusal = ApiRefusal::ConfirmationRequired.refuse();
    let refusal = refusal
        .expected("confirm=true")
        .found(format_args!("{users} users, {connections} connections"));
    let listed = json!({ "users": users, "connections": connections });
    Err(ApiError::of(refusal, CONFIRM.name).with("dependants", listed))
}

pub(super) async fn stored(app: &App, code: &str) -> Result<Organization, ApiError> {
    let found = app.store.organization(code).await?;
    found.ok_or_else(|| ApiError::whole(ApiRefusal::OrganizationUnknown))
}

fn taken(error: StoreError) -> ApiError {
    match error {
        StoreError::Conflict("row") => ApiError::of(ApiRefusal::HandleTaken, "handle"),
        other => other.into(),
    }
}

fn shown(organization: &Organization) -> OrganizationView {
    OrganizationView {
        code: organization.code.clone(),
        name: organization.name.clone(),
        handle: organization.handle.clone(),
        external_id: organization.external_id.clone(),
        is_allow_registrations: organization.is_allow_registrations,
        is_auto_membership_enabled: organization.is_auto_membership_enabled,
        is_default: false,
        created_on: organization.created_at.to_string(),
    }
}

fn described(
    body: &Map<String, Value>,
    code: String,
    created_at: Timestamp,
) -> Result<Organization, ApiError> {
    let mut members = Members::new(body);
    let organization = members_of(&mut members, code, created_at);
    members.finish()?;
    Ok(organization)
}

fn members_of(members: &mut Members<'_>, code: String, created_at: Timestamp) -> Organization {
    let name = members.text("name", NAME_BYTES);
    members.require("name");
    Organization {
        code,
        name: name.unwrap_or_default().to_owned(),
        external_id: members.text("external_id", NAME_BYTES).map(str::to_owned),
        handle: members.text("handle", NAME_BYTES).map(str::to_owned),
        is_allow_registrations: members.boolean("is_allow_registrations"),
        is_auto_membership_enabled: members.boolean("is_auto_membership_enabled"),
        version: 1,
        created_at,
    }
}

/// `org_` and 11 hex digits.
fn new_code(rng: &mut dyn CryptoRng) -> String {
    let mut bytes = [0; 6];
    rng.fill_bytes(&mut bytes);
    let mut code = hex::with_prefix("org_", &bytes);
    code.truncate("org_".len() + 11);
    code
}
