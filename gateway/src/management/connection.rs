//! `/api/v1/connections`

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use fedgate_providers::connection::normalized_domain;
use fedgate_providers::connection::{Connection, ConnectionId, Problem, Status};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::ApiRefusal;
use super::activation::activate;
use super::answer::{ApiError, ok};
use super::body;
use super::caller::authorize;
use super::change::{self, Asked, Changed, check_dependants, check_references, name_entity, row};
use super::input::{Change, Input};
use super::precondition::{check_version, tagged};
use super::query::{PAGING, Query};
use super::view;
use crate::app::{App, Shared};
use crate::registry;
use crate::store::connection::{Beside, StoredConnection};
use crate::store::metadata_revision::Revision;

pub(super) async fn list(
    State(app): State<Shared>,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
) -> Result<Response, ApiError> {
    authorize(&app, &headers, &["read:connections"])?;
    let mut known = PAGING.to_vec();
    known.push("home_realm_domain");
    let query = Query::parse(raw.as_deref(), &known)?;
    let domain = match query.text("home_realm_domain") {
        None => None,
        Some(text) => Some(normalized_domain(text).ok_or_else(|| {
            ApiError::of(
                ApiRefusal::MemberValue
                    .refuse()
                    .expected("example.com")
                    .found(text),
                "home_realm_domain",
            )
        })?),
    };
    let page = app
        .store
        .connections(domain.as_deref(), query.page()?)
        .await?;
    let connections: Vec<Value> = page.items.iter().map(view::entry).collect();
    Ok(ok(
        StatusCode::OK,
        "Connections",
        json!({ "connections": connections, "has_more": page.has_more }),
    ))
}

pub(super) async fn create(
    State(app): State<Shared>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    authorize(&app, &headers, &["create:connections"])?;
    let body = body::object(body, app.limits.api_body_bytes).await?;
    let input = Input::read(&body, None, &Change::Create)?;
    let asked = input.status;
    let applications = input.enabled_applications.clone().unwrap_or_default();
    let mut connection = made(&app, input);
    check_references(&app, connection.organization_code.as_deref(), &applications).await?;
    let (revision, missing) = first_status(&app, &mut connection, asked).await?;
    let stored = row(&app, &connection, None)?;
    let beside = Beside {
        domains: Some(&connection.options.common.home_realm_domains),
        applications: Some(&applications),
        metadata: revision.as_ref(),
        event: None,
    };
    app.store.create_connection(&stored, beside).await?;
    app.registry.forget(&stored.id).await;
    let created = json!({
        "id": stored.id.as_str(),
        "status": stored.status.as_str(),
        "setup": view::setup(&app.site, &stored.id, &stored.strategy, &stored.options),
        "missing": view::missing(&missing, &stored.strategy),
    });
    Ok(tagged(
        ok(
            StatusCode::CREATED,
            "Connection created",
            json!({ "connection": created }),
        ),
        stored.version,
    ))
}

pub(super) async fn read(
    State(app): State<Shared>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    authorize(&app, &headers, &["read:connections"])?;
    let stored = stored(&app, &id).await?;
    let applications = app.store.connection_applications(&stored.id).await?;
    let opened = registry::from_row(&stored, &app.sealer).ok();
    let connection = view::whole(&stored, opened.as_ref(), &applications, &app.site);
    Ok(tagged(
        ok(
            StatusCode::OK,
            "Connection",
            json!({ "connection": connection }),
        ),
        stored.version,
    ))
}

pub(super) async fn change(
    State(app): State<Shared>,
    headers: HeaderMap,
    Path(id): Path<String>,
    RawQuery(raw): RawQuery,
    body: Body,
) -> Result<Response, ApiError> {
    update(&app, &headers, &id, raw.as_deref(), body, false).await
}

pub(super) async fn replace(
    State(app): State<Shared>,
    headers: HeaderMap,
    Path(id): Path<String>,
    RawQuery(raw): RawQuery,
    body: Body,
) -> Result<Response, ApiError> {
    update(&app, &headers, &id, raw.as_deref(), body, true).await
}

pub(super) async fn delete(
    State(app): State<Shared>,
    headers: HeaderMap,
    Path(id): Path<String>,
    RawQuery(raw): RawQuery,
) -> Result<Response, ApiError> {
    authorize(&app, &headers, &["delete:connections"])?;
    let query = Query::parse(raw.as_deref(), &["confirm"])?;
    let stored = stored(&app, &id).await?;
    check_version(&headers, stored.version)?;
    check_dependants(&app, &stored, query.is_confirmed()).await?;
    app.store.delete_connection(&stored.id).await?;
    app.registry.forget(&stored.id).await;
    Ok(ok(StatusCode::OK, "Connection deleted", Value::Null))
}

/// PATCH and PUT: read, check whole, write if nobody else wrote in between.
async fn update(
    app: &App,
    headers: &HeaderMap,
    id: &str,
    raw: Option<&str>,
    body: Body,
    whole: bool,
) -> Result<Response, ApiError> {
    authorize(app, headers, &["update:connections"])?;
    let query = Query::parse(raw, &["confirm"])?;
    let body = body::object(body, app.limits.api_body_bytes).await?;
    let before = stored(app, id).await?;
    check_version(headers, before.version)?;
    let asked = Asked {
        body: &body,
        whole,
        confirmed: query.is_confirmed(),
        read_draft: false,
        event: None,
    };
    let Changed {
        stored,
        version,
        missing,
    } = change::apply(app, &before, asked).await?;
    let connection = json!({ "id": stored.id.as_str(), "status": stored.status.as_str(), "missing": view::missing(&missing, &stored.strategy) });
    Ok(tagged(
        ok(
            StatusCode::OK,
            "Connection updated",
            json!({ "connection": connection }),
        ),
        version,
    ))
}

/// A new connection. Its entityID is its metadata's address unless the caller names another: unlike a random text it
/// can be opened in a browser, and identity providers that read metadata find it there.
fn made(app: &App, input: Input) -> Connection {
    let id = ConnectionId::random(&mut app.randomness.rng());
    let name = input
        .name
        .clone()
        .or_else(|| input.display_name.clone())
        .unwrap_or_default();
    let mut options = input.options;
    name_entity(app, &id, &mut options, None);
    Connection {
        id,
        version: 1,
        display_name: input.display_name.unwrap_or_else(|| name.clone()),
        name,
        spec: input.spec,
        status: Status::Draft,
        organization_code: input.organization.after(None),
        options,
    }
}

/// Active where the connection is complete and its upstream answers, else a draft that says what is missing.
/// A caller who asks for `active` outright gets the problems as an error instead.
async fn first_status(
    app: &App,
    connection: &mut Connection,
    asked: Option<Status>,
) -> Result<(Option<Revision>, Vec<Problem>), ApiError> {
    if matches!(asked, Some(Status::Draft | Status::Disabled)) {
        connection.status = asked.unwrap_or(Status::Draft);
        return Ok((None, connection.missing()));
    }
    match activate(
        connection,
        &app.egress,
        app.clock.now(),
        &mut app.randomness.rng(),
    )
    .await
    {
        Ok(revision) => {
            connection.status = Status::Active;
            Ok((revision, Vec::new()))
        }
        Err(problems) if asked == Some(Status::Active) => Err(problems.into()),
        Err(problems) => Ok((None, problems)),
    }
}

pub(super) async fn stored(app: &App, id: &str) -> Result<StoredConnection, ApiError> {
    let unknown = || ApiError::whole(ApiRefusal::ConnectionUnknown);
    let id = ConnectionId::parse(id).ok_or_else(unknown)?;
    app.store.connection(&id).await?.ok_or_else(unknown)
}
