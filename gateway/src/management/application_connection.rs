//! `/api/v1/applications/{application_id}/connections`

use axum::extract::{Extension, Path, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::Value;

use super::ApiRefusal;
use super::answer::{ApiError, ok};
use super::api::Api;
use super::connection::{ID, stored};
use super::operation::{Operation, PathParameter};
use super::query::{PAGING, Query};
use super::view::ConnectionList;
use crate::app::{App, Shared};
use crate::store::connection_list::Among;

/// The id of an application in a path.
pub(super) const APPLICATION: PathParameter = PathParameter {
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
            .query(&PAGING)
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
    Extension(query): Extension<Query>,
    Path(application): Path<String>,
) -> Result<Response, ApiError> {
    known(&app, &application).await?;
    let among = Among::Application(&application);
    let page = app.store.connections(among, query.page()?).await?;
    Ok(ok(StatusCode::OK, "Connections", ConnectionList::of(&page)))
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
