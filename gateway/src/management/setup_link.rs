//! `/api/v1/connections/{id}/setup_link`: the one-time link to a connection's setup page.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::ApiRefusal;
use super::answer::{ApiError, ok};
use super::api::Api;
use super::body::{self, Members};
use super::connection::{ID, stored};
use super::operation::Operation;
use crate::app::{Shared, later};
use crate::setup::{LINK_SECONDS, LINK_SECONDS_LEAST, LINK_SECONDS_MOST, link};

/// What a creation answers.
#[derive(Serialize, ToSchema)]
struct SetupLinkCreated {
    setup_link: SetupLink,
}

/// A link that works once. It is told here alone.
#[derive(Serialize, ToSchema)]
struct SetupLink {
    url: String,
    /// RFC 3339.
    expires_at: String,
}

pub(super) fn routes(api: Api) -> Api {
    let update = &["update:connections"];
    api.at("/connections/{id}/setup_link", &[ID])
        .post(
            create,
            Operation::new(
                "CreateConnectionSetupLink",
                "Create the one-time link to a connection's setup page, in place of an older one",
                update,
            )
            .takes(
                "NewSetupLink",
                Members::schema(|members| {
                    lifetime(members);
                }),
            )
            .answers::<SetupLinkCreated>(StatusCode::CREATED),
        )
        .delete(
            delete,
            Operation::new(
                "DeleteConnectionSetupLink",
                "Revoke the link and end the setup session that it opened",
                update,
            ),
        )
}

/// A new link takes the place of the one that the connection had, and ends the session that it opened.
pub(super) async fn create(
    State(app): State<Shared>,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let body = body::object(body, app.limits.api_body_bytes).await?;
    let mut members = Members::new(&body);
    let seconds = lifetime(&mut members);
    members.finish()?;
    let stored = stored(&app, &id).await?;
    let now = app.clock.now();
    let expires_at = later(now, seconds);
    let (url, hash) = link::fresh(&app, &app.site).map_err(ApiError::whole)?;
    app.store
        .put_setup_link(&stored.id, &hash, expires_at, now)
        .await?;
    let setup_link = SetupLink {
        url,
        expires_at: format!("{expires_at:.0}"),
    };
    let created = SetupLinkCreated { setup_link };
    Ok(ok(StatusCode::CREATED, "Setup link created", created))
}

/// Revokes the link and the session that it opened; doing it twice changes nothing.
pub(super) async fn delete(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let stored = stored(&app, &id).await?;
    app.store
        .delete_setup_link(&stored.id, app.clock.now())
        .await?;
    Ok(ok(StatusCode::OK, "Setup link revoked", json!({})))
}

fn lifetime(members: &mut Members<'_>) -> u64 {
    const NAME: &str = "lifetime_seconds";
    let given = members.value(NAME).map(Value::as_u64);
    members.note(NAME, || {
        json!({ "type": ["integer", "null"], "minimum": LINK_SECONDS_LEAST, "maximum": LINK_SECONDS_MOST,
            "default": LINK_SECONDS })
    });
    match given {
        None => LINK_SECONDS,
        Some(Some(seconds)) if (LINK_SECONDS_LEAST..=LINK_SECONDS_MOST).contains(&seconds) => {
            seconds
        }
        Some(_) => {
            let expected = format!("{LINK_SECONDS_LEAST} to {LINK_SECONDS_MOST} seconds");
            members.refuse(ApiRefusal::MemberValue.refuse().expected(expected), NAME);
            LINK_SECONDS
        }
    }
}
