//! `/api/v1/organization` and `/api/v1/organizations`

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use axum::{Json, response::IntoResponse as _};
use fedgate_certs::Timestamp;
use http::{HeaderMap, StatusCode};
use rand::CryptoRng;
use serde_json::{Map, Value, json};

use super::ApiRefusal;
use super::answer::{ApiError, ok};
use super::body::{self, Members};
use super::caller::authorize;
use super::query::{PAGING, Query};
use crate::app::{App, Shared};
use crate::store::StoreError;
use crate::store::organization::Organization;

/// The longest name, handle and external id, in bytes.
const NAME_BYTES: usize = 256;

pub(super) async fn create(
    State(app): State<Shared>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    authorize(&app, &headers, &["create:organizations"])?;
    let body = body::object(body, app.limits.api_body_bytes).await?;
    let organization = described(&body, new_code(&mut app.randomness.rng()), app.clock.now())?;
    app.store
        .create_organization(&organization)
        .await
        .map_err(taken)?;
    let created = json!({ "organization": { "code": organization.code } });
    Ok(ok(StatusCode::CREATED, "Organization created", created))
}

/// `?code=org_…`. Kinde answers with the bare object.
pub(super) async fn read(
    State(app): State<Shared>,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
) -> Result<Response, ApiError> {
    authorize(&app, &headers, &["read:organizations"])?;
    let query = Query::parse(raw.as_deref(), &["code"])?;
    let code = query
        .text("code")
        .ok_or_else(|| ApiError::of(ApiRefusal::MemberMissing, "code"))?;
    Ok(Json(shown(&stored(&app, code).await?)).into_response())
}

pub(super) async fn list(
    State(app): State<Shared>,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
) -> Result<Response, ApiError> {
    authorize(&app, &headers, &["read:organizations"])?;
    let query = Query::parse(raw.as_deref(), &PAGING)?;
    let page = app.store.organizations(query.page()?).await?;
    let organizations: Vec<Value> = page.items.iter().map(shown).collect();
    Ok(ok(
        StatusCode::OK,
        "Organizations",
        json!({ "organizations": organizations, "has_more": page.has_more }),
    ))
}

pub(super) async fn change(
    State(app): State<Shared>,
    headers: HeaderMap,
    Path(code): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    authorize(&app, &headers, &["update:organizations"])?;
    let patch = body::object(body, app.limits.api_body_bytes).await?;
    let before = stored(&app, &code).await?;
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
    let after = described(&members, before.code, before.created_at)?;
    app.store.update_organization(&after).await.map_err(taken)?;
    Ok(ok(StatusCode::OK, "Organization updated", Value::Null))
}

pub(super) async fn delete(
    State(app): State<Shared>,
    headers: HeaderMap,
    Path(code): Path<String>,
) -> Result<Response, ApiError> {
    authorize(&app, &headers, &["delete:organizations"])?;
    app.store
        .delete_organization(&code)
        .await
        .map_err(|error| match error {
            StoreError::Conflict(_) => ApiError::whole(ApiRefusal::OrganizationInUse),
            other => other.into(),
        })?;
    Ok(ok(StatusCode::OK, "Organization deleted", Value::Null))
}

pub(super) async fn stored(app: &App, code: &str) -> Result<Organization, ApiError> {
    let found = app.store.organization(code).await?;
    found.ok_or_else(|| ApiError::whole(ApiRefusal::OrganizationUnknown))
}

fn taken(error: StoreError) -> ApiError {
    match error {
        StoreError::Conflict(_) => ApiError::of(ApiRefusal::HandleTaken, "handle"),
        other => other.into(),
    }
}

fn shown(organization: &Organization) -> Value {
    json!({
        "code": organization.code,
        "name": organization.name,
        "handle": organization.handle,
        "external_id": organization.external_id,
        "is_allow_registrations": organization.is_allow_registrations,
        "is_auto_membership_enabled": organization.is_auto_membership_enabled,
        "created_on": organization.created_at.to_string(),
    })
}

fn described(
    body: &Map<String, Value>,
    code: String,
    created_at: Timestamp,
) -> Result<Organization, ApiError> {
    let mut members = Members::new(body);
    let name = members.text("name", NAME_BYTES);
    if members.is_blank("name") {
        members.refuse(ApiRefusal::MemberMissing, "name");
    }
    let organization = Organization {
        code,
        name: name.unwrap_or_default().to_owned(),
        external_id: members.text("external_id", NAME_BYTES).map(str::to_owned),
        handle: members.text("handle", NAME_BYTES).map(str::to_owned),
        is_allow_registrations: members.boolean("is_allow_registrations"),
        is_auto_membership_enabled: members.boolean("is_auto_membership_enabled"),
        created_at,
    };
    members.finish()?;
    Ok(organization)
}

/// `org_` and 11 hex digits.
fn new_code(rng: &mut dyn CryptoRng) -> String {
    use std::fmt::Write as _;
    let mut bytes = [0; 6];
    rng.fill_bytes(&mut bytes);
    let mut code = bytes.iter().fold(String::from("org_"), |mut code, byte| {
        let _ = write!(code, "{byte:02x}");
        code
    });
    code.truncate("org_".len() + 11);
    code
}
