//! `/api/v1/applications/{application_id}/connections`

use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::ApiRefusal;
use super::answer::{ApiError, ok};
use super::caller::authorize;
use super::connection::stored;
use super::view;
use crate::app::{App, Shared};

pub(super) async fn list(
    State(app): State<Shared>,
    headers: HeaderMap,
    Path(application): Path<String>,
) -> Result<Response, ApiError> {
    authorize(
        &app,
        &headers,
        &["read:application_connections", "read:connections"],
    )?;
    known(&app, &application).await?;
    let connections = app.store.application_connections(&application).await?;
    let connections: Vec<Value> = connections.iter().map(view::entry).collect();
    Ok(ok(
        StatusCode::OK,
        "Connections",
        json!({ "connections": connections, "has_more": false }),
    ))
}

pub(super) async fn enable(
    State(app): State<Shared>,
    headers: HeaderMap,
    Path((application, id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    authorize(
        &app,
        &headers,
        &["create:application_connections", "update:connections"],
    )?;
    link(&app, &application, &id, true).await?;
    Ok(ok(
        StatusCode::OK,
        "Connection enabled for the application",
        Value::Null,
    ))
}

pub(super) async fn disable(
    State(app): State<Shared>,
    headers: HeaderMap,
    Path((application, id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    authorize(
        &app,
        &headers,
        &["delete:application_connections", "update:connections"],
    )?;
    link(&app, &application, &id, false).await?;
    Ok(ok(
        StatusCode::OK,
        "Connection disabled for the application",
        Value::Null,
    ))
}

async fn link(app: &App, application: &str, id: &str, enabled: bool) -> Result<(), ApiError> {
    known(app, application).await?;
    let connection = stored(app, id).await?;
    app.store
        .link_application(application, &connection.id, enabled)
        .await?;
    app.registry.forget(&connection.id).await;
    Ok(())
}

async fn known(app: &App, application: &str) -> Result<(), ApiError> {
    let found = app.store.application(application).await?;
    found
        .map(|_| ())
        .ok_or_else(|| ApiError::whole(ApiRefusal::ApplicationUnknown))
}
