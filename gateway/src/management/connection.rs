//! `/api/v1/connections`

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use fedgate_providers::connection::normalized_domain;
use fedgate_providers::connection::{
    Connection, ConnectionId, Options, Problem, ProtocolOptions, Status,
};
use fedgate_providers::spec::Spec;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::ApiRefusal;
use super::activation::activate;
use super::answer::{ApiError, ok};
use super::body;
use super::caller::authorize;
use super::input::{Change, Input};
use super::precondition::{check_version, tagged};
use super::query::{PAGING, Query};
use super::view;
use crate::app::{App, Shared};
use crate::registry::{self, SECRET_PURPOSE};
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
    check_dependants(&app, &stored, &query).await?;
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
    let opened = registry::from_row(&before, &app.sealer);
    let change = match (&opened, whole) {
        (opened, true) => {
            Change::Replace(opened.as_ref().ok().map(|connection| &connection.options))
        }
        (Ok(connection), false) => Change::Merge(&connection.options),
        (Err(refusal), false) => return Err(ApiError::whole(refusal.clone())),
    };
    let input = Input::read(&body, Spec::of(&before.strategy), &change)?;
    let applications = input.enabled_applications.clone();
    let asked_for_active = input.status == Some(Status::Active);
    let after = changed(app, &before, input)?;
    check_references(
        app,
        after.organization_code.as_deref(),
        applications.as_deref().unwrap_or_default(),
    )
    .await?;
    if after.status == Status::Disabled && before.status != Status::Disabled {
        check_dependants(app, &before, &query).await?;
    }
    // Whoever asks for active outright gets the upstream read anew: a key that it rolled is trusted from then on.
    let settled = opened.is_ok_and(|opened| {
        before.status == Status::Active && opened.options.protocol == after.options.protocol
    }) && !asked_for_active;
    let revision = match after.status {
        Status::Active if !settled => {
            activate(
                &after,
                &app.egress,
                app.clock.now(),
                &mut app.randomness.rng(),
            )
            .await?
        }
        _ => None,
    };
    let stored = row(app, &after, Some(&before))?;
    let beside = Beside {
        domains: Some(&after.options.common.home_realm_domains),
        applications: applications.as_deref(),
        metadata: revision.as_ref(),
    };
    let version = app
        .store
        .update_connection(&stored, before.version, beside)
        .await?;
    app.registry.forget(&stored.id).await;
    let connection = json!({ "id": stored.id.as_str(), "status": stored.status.as_str(), "missing": view::missing(&after.missing(), &stored.strategy) });
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

/// The connection that a change leaves.
fn changed(app: &App, before: &StoredConnection, input: Input) -> Result<Connection, ApiError> {
    let status = input.status.unwrap_or(before.status);
    if status == Status::Draft && before.status != Status::Draft {
        let refusal = ApiRefusal::StatusChange
            .refuse()
            .expected("active | disabled")
            .found("draft");
        return Err(ApiError::of(refusal, "status"));
    }
    let mut options = input.options;
    name_entity(
        app,
        &before.id,
        &mut options,
        before.options["saml_entity_id"].as_str(),
    );
    Ok(Connection {
        id: before.id.clone(),
        version: before.version,
        name: input.name.unwrap_or_else(|| before.name.clone()),
        display_name: input
            .display_name
            .unwrap_or_else(|| before.display_name.clone()),
        spec: input.spec,
        status,
        organization_code: input.organization.after(before.organization_code.clone()),
        options,
    })
}

fn name_entity(app: &App, id: &ConnectionId, options: &mut Options, before: Option<&str>) {
    if let ProtocolOptions::Saml(saml) = &mut options.protocol
        && saml.entity_id.is_empty()
    {
        let made_up = || app.site.url(&format!("/saml/{id}/metadata"));
        saml.entity_id = before.map_or_else(made_up, str::to_owned);
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

/// The row of a connection, its secrets sealed for this connection alone.
fn row(
    app: &App,
    connection: &Connection,
    before: Option<&StoredConnection>,
) -> Result<StoredConnection, ApiError> {
    let now = app.clock.now();
    let secrets = connection.options.secrets();
    let sealed = if secrets.is_empty() {
        None
    } else {
        let plain = zeroize::Zeroizing::new(Value::Object(secrets).to_string());
        let id = connection.id.as_str();
        let sealed = app.sealer.seal_secret(
            SECRET_PURPOSE,
            id,
            plain.as_bytes(),
            &mut app.randomness.rng(),
        );
        Some(sealed.map_err(|error| {
            tracing::error!(%error, connection = id, "a secret could not be sealed");
            ApiError::whole(crate::store::StoreRefusal::Unavailable)
        })?)
    };
    Ok(StoredConnection {
        id: connection.id.clone(),
        version: connection.version,
        name: connection.name.clone(),
        display_name: connection.display_name.clone(),
        strategy: connection.spec.strategy.clone(),
        status: connection.status,
        organization_code: connection.organization_code.clone(),
        options: Value::Object(connection.options.to_json()),
        secrets: sealed,
        created_at: before.map_or(now, |before| before.created_at),
        updated_at: now,
    })
}

pub(super) async fn stored(app: &App, id: &str) -> Result<StoredConnection, ApiError> {
    let unknown = || ApiError::whole(ApiRefusal::ConnectionUnknown);
    let id = ConnectionId::parse(id).ok_or_else(unknown)?;
    app.store.connection(&id).await?.ok_or_else(unknown)
}

/// Organization and applications exist: told one by one, which a foreign key cannot.
async fn check_references(
    app: &App,
    organization: Option<&str>,
    applications: &[String],
) -> Result<(), ApiError> {
    let mut problems = Vec::new();
    if let Some(code) = organization
        && app.store.organization(code).await?.is_none()
    {
        problems.push(Problem::new(
            ApiRefusal::MemberValue
                .refuse()
                .expected("the code of an organization")
                .found(code),
            "organization_code",
        ));
    }
    for (index, client_id) in applications.iter().enumerate() {
        if app.store.application(client_id).await?.is_none() {
            let refusal = ApiRefusal::MemberValue
                .refuse()
                .expected("the client_id of an application")
                .found(client_id);
            problems.push(Problem::new(
                refusal,
                format!("enabled_applications.{index}"),
            ));
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.into())
    }
}

async fn check_dependants(
    app: &App,
    stored: &StoredConnection,
    query: &Query,
) -> Result<(), ApiError> {
    let dependants = app.store.dependants(&stored.id).await?;
    if query.is_confirmed() || !dependants.any() {
        return Ok(());
    }
    let applications = app.store.connection_applications(&stored.id).await?;
    let counted = format!(
        "{} users, {} applications, {} domains",
        dependants.users, dependants.applications, dependants.domains
    );
    let refusal = ApiRefusal::ConfirmationRequired
        .refuse()
        .expected("confirm=true")
        .found(counted);
    let domains = stored.options["home_realm_domains"].clone();
    let listed =
        json!({ "users": dependants.users, "applications": applications, "domains": domains });
    Err(ApiError::of(refusal, "confirm").with("dependants", listed))
}
