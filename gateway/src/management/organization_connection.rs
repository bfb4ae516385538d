//! `/api/v1/organizations/{org_code}/connections`

use axum::extract::{Extension, Path, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::Value;

use super::answer::{ApiError, ok};
use super::api::Api;
use super::connection::{ID, stored};
use super::operation::Operation;
use super::organization::{self, CODE};
use super::query::{PAGING, Query};
use super::view::ConnectionList;
use crate::app::{App, Shared};
use crate::store::connection_list::Among;

pub(super) fn routes(api: Api) -> Api {
    api.at("/organizations/{org_code}/connections", &[CODE])
        .get(
            list,
            Operation::new(
                "GetOrganizationConnections",
                "List an organization's own connections and those that are enabled for it",
                &["read:organization_connections", "read:connections"],
            )
            .query(&PAGING)
            .answers::<ConnectionList>(StatusCode::OK),
        )
        .at("/organizations/{org_code}/connections/{id}", &[CODE, ID])
        .post(
            enable,
            Operation::new(
                "EnableOrgConnection",
                "Enable a connection for an organization; once more changes nothing",
                &["create:organization_connections", "update:connections"],
            ),
        )
        .delete(
            disable,
            Operation::new(
                "RemoveOrgConnection",
                "Disable a connection for an organization",
                &["delete:organization_connections", "update:connections"],
            ),
        )
}

/// Its own connections and those that are enabled for it.
pub(super) async fn list(
    State(app): State<Shared>,
    Extension(query): Extension<Query>,
    Path(code): Path<String>,
) -> Result<Response, ApiError> {
    organization::stored(&app, &code).await?;
    let among = Among::Organization(&code);
    let page = app.store.connections(among, query.page()?).await?;
    Ok(ok(StatusCode::OK, "Connections", ConnectionList::of(&page)))
}

pub(super) async fn enable(
    State(app): State<Shared>,
    Path((code, id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    link(&app, &code, &id, true).await?;
    Ok(ok(
        StatusCode::OK,
        "Connection enabled for the organization",
        Value::Null,
    ))
}

pub(super) async fn disable(
    State(app): State<Shared>,
    Path((code, id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
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
