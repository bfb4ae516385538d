//! `/api/v1/connections`

use axum::body::Body;
use axum::extract::{Extension, Path, State};
use axum::response::Response;
use fedgate_providers::connection::normalized_domain;
use fedgate_providers::connection::{Connection, ConnectionId, Problem, Status};
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::ApiRefusal;
use super::activation::activate;
use super::answer::{ApiError, ok};
use super::api::Api;
use super::body;
use super::change::{self, Asked, Changed, check_dependants, check_references, name_entity, row};
use super::input::{Change, Input, schema};
use super::operation::{Kind, Operation, PathParameter, QueryParameter};
use super::precondition::{check_version, tagged};
use super::query::{CONFIRM, PAGING, Query};
use super::view::{self, ConnectionChanged, ConnectionCreated, ConnectionList, ConnectionRead};
use crate::app::{App, Shared};
use crate::registry;
use crate::store::connection::{Beside, StoredConnection};
use crate::store::connection_list::Among;
use crate::store::metadata_revision::Adopted;

/// The id of a connection in a path.
pub(super) const ID: PathParameter = PathParameter {
    name: "id",
    says: "The id of a connection: conn_ and 32 hex digits.",
    example: "conn_0192b194f6156fb7452fe38cfb144958",
};
const DOMAIN: QueryParameter = QueryParameter {
    name: "home_realm_domain",
    says: "Only the connection that this e-mail domain leads to.",
    kind: Kind::Text,
};

pub(super) fn routes(api: Api) -> Api {
    let update = |id, summary, schema| {
        Operation::new(id, summary, &["update:connections"])
            .query(&[CONFIRM])
            .takes("ConnectionChange", schema)
            .answers::<ConnectionChanged>(StatusCode::OK)
            .tagged()
            .conditional()
    };
    api.at("/connections", &[])
        .get(
            list,
            Operation::new("GetConnections", "List connections", &["read:connections"])
                .query(&PAGING)
                .query(&[DOMAIN])
                .answers::<ConnectionList>(StatusCode::OK),
        )
        .post(
            create,
            Operation::new(
                "CreateConnection",
                "Create a connection",
                &["create:connections"],
            )
            .takes("NewConnection", schema(true))
            .answers::<ConnectionCreated>(StatusCode::CREATED)
            .tagged()
            .conflicts(),
        )
        .at("/connections/{id}", &[ID])
        .get(
            read,
            Operation::new("GetConnection", "Read a connection", &["read:connections"])
                .answers::<ConnectionRead>(StatusCode::OK)
                .tagged(),
        )
        .patch(
            change,
            update(
                "UpdateConnection",
                "Change members of a connection",
                schema(false),
            ),
        )
        .put(
            replace,
            update(
                "ReplaceConnection",
                "Replace a connection's options, but for secrets that are not named",
                schema(false),
            ),
        )
        .delete(
            delete,
            Operation::new(
                "DeleteConnection",
                "Delete a connection",
                &["delete:connections"],
            )
            .query(&[CONFIRM])
            .conditional(),
        )
}

pub(super) async fn list(
    State(app): State<Shared>,
    Extension(query): Extension<Query>,
) -> Result<Response, ApiError> {
    let domain = match query.text(DOMAIN.name) {
        None => None,
        Some(text) => Some(normalized_domain(text).ok_or_else(|| {
            ApiError::of(
                ApiRefusal::MemberValue
                    .refuse()
                    .expected("example.com")
                    .found(text),
                DOMAIN.name,
            )
        })?),
    };
    let among = domain.as_deref().map_or(Among::All, Among::Domain);
    let page = app.store.connections(among, query.page()?).await?;
    Ok(ok(StatusCode::OK, "Connections", ConnectionList::of(&page)))
}

pub(super) async fn create(State(app): State<Shared>, body: Body) -> Result<Response, ApiError> {
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
        replaced: None,
        event: None,
    };
    app.store.create_connection(&stored, beside).await?;
    app.registry.forget(&stored.id).await;
    let connection = view::Created::of(&stored, &missing, &app.site);
    let created = ok(
        StatusCode::CREATED,
        "Connection created",
        ConnectionCreated { connection },
    );
    Ok(tagged(created, stored.version))
}

pub(super) async fn read(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let stored = stored(&app, &id).await?;
    let applications = app.store.connection_applications(&stored.id).await?;
    let opened = registry::from_row(&stored, &app.sealer).ok();
    let connection = view::Whole::of(&stored, opened.as_ref(), applications, &app.site);
    let found = ok(StatusCode::OK, "Connection", ConnectionRead { connection });
    Ok(tagged(found, stored.version))
}

pub(super) async fn change(
    State(app): State<Shared>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Extension(query): Extension<Query>,
    body: Body,
) -> Result<Response, ApiError> {
    update(&app, &headers, &id, &query, body, false).await
}

pub(super) async fn replace(
    State(app): State<Shared>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Extension(query): Extension<Query>,
    body: Body,
) -> Result<Response, ApiError> {
    update(&app, &headers, &id, &query, body, true).await
}

pub(super) async fn delete(
    State(app): State<Shared>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Extension(query): Extension<Query>,
) -> Result<Response, ApiError> {
    let stored = stored(&app, &id).await?;
    check_version(&headers, stored.version)?;
    check_dependants(&app, &stored, query.is_confirmed()).await?;
    app.store
        .delete_connection(&stored.id, stored.version)
        .await?;
    app.registry.forget(&stored.id).await;
    Ok(ok(StatusCode::OK, "Connection deleted", Value::Null))
}

/// PATCH and PUT: read, check whole, write if nobody else wrote in between.
async fn update(
    app: &App,
    headers: &HeaderMap,
    id: &str,
    query: &Query,
    body: Body,
    whole: bool,
) -> Result<Response, ApiError> {
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
    let connection = view::Changed::of(&stored, &missing);
    let done = ok(
        StatusCode::OK,
        "Connection updated",
        ConnectionChanged { connection },
    );
    Ok(tagged(done, version))
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
) -> Result<(Option<Adopted>, Vec<Problem>), ApiError> {
    if matches!(asked, Some(Status::Draft | Status::Disabled)) {
        connection.status = asked.unwrap_or(Status::Draft);
        return Ok((None, connection.missing()));
    }
    match activate(
        connection,
        &app.saml_keys.keys(),
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
