//! From a tested draft to active: at the very revision whose test login passed, or not at all.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use fedgate_providers::connection::{ConnectionRefusal, Status};
use fedgate_providers::error::Refusal;
use http::HeaderMap;

use super::SetupRefusal;
use super::reply::{self, Visit};
use super::view::{self, Said};
use crate::app::Shared;

/// `POST /setup/{connection_id}/activate`
pub(super) async fn activate(
    State(app): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let visit = match Visit::pressed(&app, &id, &headers, body).await {
        Ok(visit) => visit,
        Err(refusal) => return reply::closed(&headers, &refusal),
    };
    match activated(&app, &visit).await {
        Ok(()) => Redirect::to(&format!("/setup/{}?activated", visit.id)).into_response(),
        Err(refusal) => view::page(&app, &visit, &headers, Said::refusal(refusal)).await,
    }
}

async fn activated(app: &Shared, visit: &Visit) -> Result<(), Refusal> {
    if visit.stored.status != Status::Draft {
        return Err(SetupRefusal::NotDraft
            .refuse()
            .expected(Status::Draft.as_str())
            .found(visit.stored.status.as_str()));
    }
    let version = app
        .store
        .activate_tested(&visit.id, visit.stored.version, app.clock.now())
        .await?;
    let version = version.ok_or(ConnectionRefusal::Untested)?;
    app.registry.forget(&visit.id).await;
    tracing::info!(connection_id = %visit.id, version, "activated from the setup page");
    Ok(())
}
