//! `/api/v1/applications/{application_id}/client_secret`: another secret, without a break.

use axum::body::Body;
use axum::extract::{Extension, Path, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};

use super::answer::{ApiError, ok};
use super::api::Api;
use super::application::{check_rights, hashed, managed, new_secret};
use super::application_connection::APPLICATION;
use super::application_view::{NewSecret, SecretCreated};
use super::body::{self, Members};
use super::operation::Operation;
use super::precondition::tagged;
use crate::app::{Shared, later};
use crate::op::issue::ApiCaller;
use crate::store::application::PreviousSecret;

/// The longest that a secret goes on beside the one in its place, in seconds.
const OVERLAP_SECONDS_MOST: u64 = 30 * 24 * 3600;
/// How long it does where the request names nothing, in seconds.
const OVERLAP_SECONDS: u64 = 24 * 3600;

pub(super) fn routes(api: Api) -> Api {
    let schema = Members::schema(|members| {
        read(members);
    });
    let operation = Operation::new(
        "RotateApplicationSecret",
        "Give an application another client secret; the one before goes on for a while",
        &["update:applications"],
    );
    api.at(
        "/applications/{application_id}/client_secret",
        &[APPLICATION],
    )
    .post(
        rotate,
        operation
            .takes("SecretRotation", schema)
            .answers::<SecretCreated>(StatusCode::CREATED)
            .tagged()
            .conditional(),
    )
}

fn read(members: &mut Members<'_>) -> u64 {
    members.number("overlap_seconds", OVERLAP_SECONDS_MOST, OVERLAP_SECONDS)
}

/// Both secrets prove the application for a while, so that it can be given the new one without a break; with
/// `overlap_seconds` 0 the old one ends at once, as one must that has leaked. One before the old one ends in any case.
async fn rotate(
    State(app): State<Shared>,
    Extension(caller): Extension<ApiCaller>,
    headers: HeaderMap,
    Path(client_id): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let body = body::object(body, app.limits.api_body_bytes).await?;
    let mut members = Members::new(&body);
    let overlap = read(&mut members);
    members.finish()?;
    let before = managed(&app, &client_id, &headers).await?;
    check_rights(&caller, [&before.application])?;
    let (secret, now) = (new_secret(&app), app.clock.now());
    let mut after = before.application;
    let replaced = after
        .secret_hash
        .replace(hashed(&app, &client_id, &secret)?);
    after.previous_secret = replaced.filter(|_| overlap > 0).map(|hash| PreviousSecret {
        hash,
        expires_at: later(now, overlap),
    });
    let version = app
        .store
        .update_application(&after, before.version, now)
        .await?;
    let previous = after.previous_secret;
    let application = NewSecret {
        id: client_id.clone(),
        client_id,
        client_secret: secret,
        previous_secret_expires_at: previous.map(|previous| previous.expires_at.to_string()),
    };
    let done = ok(
        StatusCode::CREATED,
        "Client secret created",
        SecretCreated { application },
    );
    Ok(tagged(done, version))
}
