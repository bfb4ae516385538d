//! `/api/v1/organization`

use axum::body::Body;
use axum::extract::{RawQuery, State};
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
use super::query::Query;
use crate::app::Shared;
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
    let organization = described(&body, app.clock.now(), &mut app.randomness.rng())?;
    app.store
        .create_organization(&organization)
        .await
        .map_err(|error| match error {
            StoreError::Conflict(_) => ApiError::of(ApiRefusal::HandleTaken, "handle"),
            other => other.into(),
        })?;
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
    let found = app.store.organization(code).await?;
    let found = found.ok_or_else(|| ApiError::whole(ApiRefusal::OrganizationUnknown))?;
    Ok(Json(json!({
        "code": found.code,
        "name": found.name,
        "handle": found.handle,
        "external_id": found.external_id,
        "is_allow_registrations": found.is_allow_registrations,
        "is_auto_membership_enabled": found.is_auto_membership_enabled,
        "created_on": found.created_at.to_string(),
    }))
    .into_response())
}

fn described(
    body: &Map<String, Value>,
    now: Timestamp,
    rng: &mut dyn CryptoRng,
) -> Result<Organization, ApiError> {
    let mut members = Members::new(body);
    let name = members.text("name", NAME_BYTES);
    if members.is_blank("name") {
        members.refuse(ApiRefusal::MemberMissing, "name");
    }
    let organization = Organization {
        code: new_code(rng),
        name: name.unwrap_or_default().to_owned(),
        external_id: members.text("external_id", NAME_BYTES).map(str::to_owned),
        handle: members.text("handle", NAME_BYTES).map(str::to_owned),
        is_allow_registrations: members.boolean("is_allow_registrations"),
        is_auto_membership_enabled: members.boolean("is_auto_membership_enabled"),
        created_at: now,
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
