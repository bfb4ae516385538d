//! `/api/v1/applications/{application_id}/connections`

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::Value;

use super::ApiRefusal;
use super::answer::{ApiError, ok};
use super::api::Api;
use super::connection::{ID, stored};
use super::operation::{Operation, PathParameter};
use super::view::ConnectionList;
use crate::app::{App, Shared};

/// The id of an application in a path.
const APPLICATION: PathParameter = PathParameter {
    name: "application_id",
    says: "The client_id of an application.",
    example: "web",
};

pub(super) fn routes(api: Api) -> Api {
    api.at("/applications/{application_id}/connections", &[APPLICATION])
        .get(
            list,
            Operation::new(
                "GetApplicationConnections",
                "List the connections that are enabled for an application",
                &["read:application_connections", "read:connections"],
            )
            .answers::<ConnectionList>(StatusCode::OK),
        )
        .at(
            "/applications/{application_id}/connections/{id}",
            &[APPLICATION, ID],
        )
        .post(
            enable,
            Operation::new(
                "EnableConnection",
                "Enable a connection for an application; once more changes nothing",
                &["create:application_connections", "update:connections"],
            ),
        )
        .delete(
            disable,
            Operation::new(
                "RemoveConnection",
                "Disable a connection for an application",
                &["delete:application_connections", "update:connections"],
            ),
        )
}

pub(super) async fn list(
    State(app): State<Shared>,
    Path(application): Path<String>,
) -> Result<Response, ApiError> {
    known(&app, &application).await?;
    let connections = app.store.application_connections(&application).await?;
    let list = ConnectionList::all(&connections);
    Ok(ok(StatusCode::OK, "Connections", list))
}

pub(super) async fn enable(
    State(app): State<Shared>,
    Path((application, id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    link(&app, &application, &id, true).await?;
    Ok(ok(
        StatusCode::OK,
        "Connection enabled for the application",
        Value::Null,
    ))
}

pub(super) async fn disable(
    State(app): State<Shared>,
    Path((application, id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
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
