//! `/api/v1/applications`

use axum::body::Body;
use axum::extract::{Extension, Path, State};
use axum::response::Response;
use fedgate_certs::hex;
use http::{HeaderMap, StatusCode};
use rand::CryptoRng;
use serde_json::{Value, json};

use super::ApiRefusal;
use super::answer::{ApiError, ok};
use super::api::Api;
use super::application_connection::APPLICATION;
use super::application_input::{changed, created, schema, unknown_connection};
use super::application_view::{
    ApplicationCreated, ApplicationList, ApplicationRead, ApplicationWhole, NewCredentials,
};
use super::body;
use super::operation::Operation;
use super::precondition::{check_version, tagged};
use super::query::{CONFIRM, PAGING, Query};
use crate::app::{App, Shared};
use crate::op::application::secret_hash;
use crate::op::issue::{ApiCaller, random_text};
use crate::store::StoreRefusal;
use crate::store::application::{Application, Registered, Source};

pub(super) fn routes(api: Api) -> Api {
    api.at("/applications", &[])
        .get(
            list,
            Operation::new(
                "GetApplications",
                "List applications",
                &["read:applications"],
            )
            .query(&PAGING)
            .answers::<ApplicationList>(StatusCode::OK),
        )
        .post(
            create,
            Operation::new(
                "CreateApplication",
                "Create an application; its scopes are among the caller's",
                &["create:applications"],
            )
            .takes("NewApplication", schema(true))
            .answers::<ApplicationCreated>(StatusCode::CREATED)
            .tagged(),
        )
        .at("/applications/{application_id}", &[APPLICATION])
        .get(
            read,
            Operation::new(
                "GetApplication",
                "Read an application",
                &["read:applications"],
            )
            .answers::<ApplicationRead>(StatusCode::OK)
            .tagged(),
        )
        .patch(
            change,
            Operation::new(
                "UpdateApplication",
                "Change members of an application",
                &["update:applications"],
            )
            .takes("ApplicationChange", schema(false))
            .tagged()
            .conditional(),
        )
        .delete(
            delete,
            Operation::new(
                "DeleteApplication",
                "Delete an application: its tokens end with it",
                &["delete:applications"],
            )
            .query(&[CONFIRM])
            .conditional(),
        )
}

async fn list(
    State(app): State<Shared>,
    Extension(query): Extension<Query>,
) -> Result<Response, ApiError> {
    let page = app.store.applications(query.page()?).await?;
    Ok(ok(
        StatusCode::OK,
        "Applications",
        ApplicationList::of(&page),
    ))
}

async fn create(
    State(app): State<Shared>,
    Extension(caller): Extension<ApiCaller>,
    body: Body,
) -> Result<Response, ApiError> {
    let body = body::object(body, app.limits.api_body_bytes).await?;
    let client_id = new_client_id(&mut app.randomness.rng());
    let (mut application, wants_secret) = created(&body, client_id)?;
    check_rights(&caller, [&application])?;
    check_fallback(&app, &application).await?;
    let secret = wants_secret.then(|| new_secret(&app));
    application.secret_hash = secret
        .as_ref()
        .map(|secret| hashed(&app, &application.client_id, secret))
        .transpose()?;
    app.store
        .create_application(&application, app.clock.now())
        .await?;
    let application = NewCredentials {
        id: application.client_id.clone(),
        client_id: application.client_id,
        client_secret: secret,
    };
    let done = ok(
        StatusCode::CREATED,
        "Application created",
        ApplicationCreated { application },
    );
    Ok(tagged(done, 1))
}

async fn read(
    State(app): State<Shared>,
    Path(client_id): Path<String>,
) -> Result<Response, ApiError> {
    let registered = registered(&app, &client_id).await?;
    let version = registered.version;
    let application = ApplicationWhole::of(registered);
    let found = ok(
        StatusCode::OK,
        "Application",
        ApplicationRead { application },
    );
    Ok(tagged(found, version))
}

async fn change(
    State(app): State<Shared>,
    Extension(caller): Extension<ApiCaller>,
    headers: HeaderMap,
    Path(client_id): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let body = body::object(body, app.limits.api_body_bytes).await?;
    let before = managed(&app, &client_id, &headers).await?;
    let after = changed(&body, &before.application)?;
    check_rights(&caller, [&before.application, &after])?;
    if after.fallback_connection != before.application.fallback_connection {
        check_fallback(&app, &after).await?;
    }
    let version = app
        .store
        .update_application(&after, before.version, app.clock.now())
        .await?;
    let done = ok(StatusCode::OK, "Application updated", Value::Null);
    Ok(tagged(done, version))
}

async fn delete(
    State(app): State<Shared>,
    Extension(query): Extension<Query>,
    headers: HeaderMap,
    Path(client_id): Path<String>,
) -> Result<Response, ApiError> {
    let before = managed(&app, &client_id, &headers).await?;
    let connections = app.store.application_connections(&client_id).await?;
    if !connections.is_empty() && !query.is_confirmed() {
        let ids: Vec<&str> = connections.iter().map(|one| one.id.as_str()).collect();
        let refusal = ApiRefusal::ConfirmationRequired
            .refuse()
            .expected("confirm=true")
            .found(format_args!("{} connections", ids.len()));
        let dependants = json!({ "connections": ids });
        return Err(ApiError::of(refusal, CONFIRM.name).with("dependants", dependants));
    }
    app.store
        .delete_application(&client_id, before.version)
        .await?;
    Ok(ok(StatusCode::OK, "Application deleted", Value::Null))
}

async fn registered(app: &App, client_id: &str) -> Result<Registered, ApiError> {
    let found = app.store.registered_application(client_id).await?;
    found.ok_or_else(|| ApiError::whole(ApiRefusal::ApplicationUnknown))
}

/// An application that may be changed here, at the version that the caller means.
pub(super) async fn managed(
    app: &App,
    client_id: &str,
    headers: &HeaderMap,
) -> Result<Registered, ApiError> {
    let registered = registered(app, client_id).await?;
    if registered.source == Source::Config {
        return Err(ApiError::whole(ApiRefusal::ApplicationConfigured));
    }
    check_version(headers, registered.version)?;
    Ok(registered)
}

/// Whoever describes an application, or can make itself its secret or its keys, has its rights.
pub(super) fn check_rights<'a>(
    caller: &ApiCaller,
    applications: impl IntoIterator<Item = &'a Application>,
) -> Result<(), ApiError> {
    let exceeding = applications
        .into_iter()
        .flat_map(|application| &application.scopes)
        .find(|scope| !caller.scopes.contains(scope));
    match exceeding {
        None => Ok(()),
        Some(scope) => Err(ApiError::of(
            ApiRefusal::ScopeExceeded.refuse().found(scope),
            "scopes",
        )),
    }
}

async fn check_fallback(app: &App, application: &Application) -> Result<(), ApiError> {
    let Some(id) = &application.fallback_connection else {
        return Ok(());
    };
    match app.store.connection(id).await? {
        Some(_) => Ok(()),
        None => Err(ApiError::of(
            unknown_connection(id.as_str()),
            "fallback_connection",
        )),
    }
}

/// 32 hex digits.
fn new_client_id(rng: &mut dyn CryptoRng) -> String {
    let mut octets = [0; 16];
    rng.fill_bytes(&mut octets);
    hex::with_prefix("", &octets)
}

/// 256 bits.
pub(super) fn new_secret(app: &App) -> String {
    random_text::<32>(&mut app.randomness.rng())
}

pub(super) fn hashed(app: &App, client_id: &str, secret: &str) -> Result<Vec<u8>, ApiError> {
    secret_hash(&app.sealer, client_id, secret).map_err(|error| {
        tracing::error!(%error, client_id, "a client secret could not be hashed");
        ApiError::whole(StoreRefusal::Unavailable)
    })
}
