//! `/api/v1/organizations/{org_code}/connections`

use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::answer::{ApiError, ok};
use super::caller::authorize;
use super::connection::stored;
use super::{organization, view};
use crate::app::{App, Shared};

/// Its own connections and those that are enabled for it.
pub(super) async fn list(
    State(app): State<Shared>,
    headers: HeaderMap,
    Path(code): Path<String>,
) -> Result<Response, ApiError> {
    authorize(
        &app,
        &headers,
        &["read:organization_connections", "read:connections"],
    )?;
    organization::stored(&app, &code).await?;
    let mut connections: Vec<Value> = Vec::new();
    for id in app.store.organization_connections(&code).await? {
        connections.extend(app.store.connection(&id).await?.as_ref().map(view::entry));
    }
    Ok(ok(
        StatusCode::OK,
        "Connections",
        json!({ "connections": connections, "has_more": false }),
    ))
}

pub(super) async fn enable(
    State(app): State<Shared>,
    headers: HeaderMap,
    Path((code, id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    authorize(
        &app,
        &headers,
        &["create:organization_connections", "update:connections"],
    )?;
    link(&app, &code, &id, true).await?;
    Ok(ok(
        StatusCode::OK,
        "Connection enabled for the organization",
        Value::Null,
    ))
}

pub(super) async fn disable(
    State(app): State<Shared>,
    headers: HeaderMap,
    Path((code, id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    authorize(
        &app,
        &headers,
        &["delete:organization_connections", "update:connections"],
    )?;
    link(&app, &code, &id, false).await?;
    Ok(ok(
        StatusCode::OK,
        "Connection disabled for the organization",
        Value::Null,
    ))
}

async fn link(app: &App, code: &str, id: &str, enabled: bool) -> Result<(), ApiError> {
    organization::stored(app, code).await?;
    let connection = stored(app, id).await?;
    app.store
        .link_organization(code, &connection.id, enabled)
        .await?;
    app.registry.forget(&connection.id).await;
    Ok(())
}
