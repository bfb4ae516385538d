//! The upstream's answer: pending, verdict, sign-in, code.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use fedgate_certs::Timestamp;
use fedgate_providers::connection::{Connection, ConnectionId};
use fedgate_providers::error::Refusal;
use fedgate_providers::login::{Callback, Handle, Site, Steps};
use fedgate_providers::saml::SamlRefusal;
use http::HeaderMap;
use serde_json::json;
use url::form_urlencoded;

use super::pending::{self, Held, Opened, PendingLogin};
use super::way::{unproved, ways};
use super::{LoginRefusal, claims, stranger};
use crate::app::{App, Shared, later};
use crate::client_address::ClientAddress;
use crate::error;
use crate::events::trace::{Trace, new_reference};
use crate::idp_metadata::rescue;
use crate::op::{AuthorizeRequest, authorize};
use crate::people::sign_in::{SignIn, sign_in};
use crate::registry::RegistryRefusal;
use crate::routing::Reason;
use crate::setup::test_login;
use crate::store::connection::StoredConnection;
use crate::telemetry::Part;
use crate::telemetry::request::Told;

/// The most fields of an answer: half a megabyte of one-letter fields would take some fifty times as much memory.
const MOST_FIELDS: usize = 100;

/// `POST /saml/{connection_id}/acs`
pub async fn saml(
    State(app): State<Shared>,
    Path(connection): Path<String>,
    Extension(address): Extension<ClientAddress>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let (fields, readable) = posted(&app, body);
    let handle = readable.and_then(|()| saml_handle(&fields));
    let arrived = Arrived {
        address,
        headers: &headers,
        callback: &Callback::Form(fields),
    };
    finish(&app, &connection, handle, &arrived).await
}

/// `GET /login/callback/{connection_id}`
pub async fn by_query(
    State(app): State<Shared>,
    Path(connection): Path<String>,
    Extension(address): Extension<ClientAddress>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let handle = form(query.as_bytes()).and_then(|fields| state_handle(&fields));
    let arrived = Arrived {
        address,
        headers: &headers,
        callback: &Callback::Query(query),
    };
    finish(&app, &connection, handle, &arrived).await
}

/// `POST /login/callback/{connection_id}`, for providers that answer by `form_post`.
pub async fn by_form(
    State(app): State<Shared>,
    Path(connection): Path<String>,
    Extension(address): Extension<ClientAddress>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let (fields, readable) = posted(&app, body);
    let handle = readable.and_then(|()| state_handle(&fields));
    let arrived = Arrived {
        address,
        headers: &headers,
        callback: &Callback::Form(fields),
    };
    finish(&app, &connection, handle, &arrived).await
}

/// What is known of a login while its callback is worked on: enough to explain whatever ends it.
#[derive(Default)]
struct Story {
    steps: Steps,
    request: Option<AuthorizeRequest>,
    connection: Option<Named>,
    user: Option<String>,
}

/// A connection that exists, as a trace names it.
struct Named {
    id: ConnectionId,
    strategy: String,
    display_name: String,
}

/// An answer of an upstream, as this browser brought it.
struct Arrived<'r> {
    address: ClientAddress,
    headers: &'r HeaderMap,
    callback: &'r Callback,
}

impl Named {
    fn of(connection: &Connection) -> Self {
        Self {
            id: connection.id.clone(),
            strategy: connection.spec.strategy.clone(),
            display_name: connection.display_name.clone(),
        }
    }
}

async fn finish(
    app: &Shared,
    connection: &str,
    handle: Result<Handle, Refusal>,
    arrived: &Arrived<'_>,
) -> Response {
    let site = app.site.clone();
    let now = app.clock.now();
    let headers = arrived.headers;
    let over = stranger::over(app, connection, &arrived.address, now);
    let mut story = Story::default();
    let outcome = match (ConnectionId::parse(connection), handle) {
        (None, _) => Err(RegistryRefusal::ConnectionUnavailable
            .refuse()
            .found(connection)),
        (_, Err(refusal)) => Err(refusal),
        // Whoever holds nothing under that name costs no look into the store.
        (_, Ok(handle)) if over.is_some() && !pending::is_held(headers, &site, handle) => {
            Err(LoginRefusal::OtherBrowser.into())
        }
        (Some(connection), Ok(handle)) => {
            let of = (&connection, handle);
            match pending::open(app, &site, headers, (handle, &connection), now).await {
                Ok(Held::Pending(opened)) => {
                    Box::pin(complete(app, &site, of, *opened, arrived, &mut story, now)).await
                }
                // It ends on the setup page, and nothing else comes of it.
                Ok(Held::Test(test)) => {
                    let end = test_login::end(app, &site, of, *test, arrived.callback, headers);
                    return Box::pin(end).await;
                }
                Ok(Held::Completed(request)) => {
                    story.request = Some(*request);
                    Err(LoginRefusal::AlreadyUsed.into())
                }
                Err(refusal) => Err(refusal),
            }
        }
    };
    let is_stranger = story.request.is_none();
    if let (true, Some(over)) = (is_stranger, over) {
        return stranger::turned_away(app, headers, over);
    }
    if story.connection.is_none() {
        story.connection = existing(app, connection).await;
    }
    if is_stranger {
        let named = story.connection.as_ref().map(|named| &named.id);
        stranger::count(app, named, &arrived.address, now).await;
    }
    let reference = tell(app, &mut story, outcome.as_ref().err(), now);
    let refusal = match outcome {
        Ok(mut answer) => {
            Told::succeeded(&mut answer, reference);
            return answer;
        }
        Err(refusal) => refusal,
    };
    raise(app, &story, &refusal, &reference, now).await;
    let request = story.request.as_ref();
    match (request, unproved(&refusal)) {
        (Some(request), Some(error)) => {
            let description = format!("{}: {}", refusal.code(), refusal.entry().meaning);
            let mut answer = authorize::error_redirect(&site, request, error, &description);
            Told::refused(&mut answer, &refusal, Some(&reference));
            answer
        }
        _ => error::page(
            headers,
            &refusal,
            &reference,
            &ways(app, &site, request, &refusal).await,
        ),
    }
}

async fn complete(
    app: &Shared,
    site: &Site,
    (connection, handle): (&ConnectionId, Handle),
    opened: Opened<PendingLogin>,
    arrived: &Arrived<'_>,
    story: &mut Story,
    now: Timestamp,
) -> Result<Response, Refusal> {
    let pending = opened.login;
    story.steps = pending.steps;
    let request = story.request.insert(pending.request);
    if opened.expired {
        return Err(LoginRefusal::Expired.into());
    }
    story
        .steps
        .pass("pending", "this browser began the login".to_owned(), now);
    let ready = app
        .registry
        .provider(&app.store, &app.sealer, &app.egress, connection, now)
        .await?;
    story.connection = Some(Named::of(&ready.connection));
    let of = (handle, &pending.provider);
    let verified = rescue::complete(app, ready, of, arrived.callback, now, &mut story.steps);
    let (identity, ready) = app.metrics.timed(Part::Verification, verified).await?;
    crate::crash::here("verified");
    let attempt = SignIn {
        identity: &identity,
        handle,
        handle_until: later(now, app.limits.pending_seconds),
        connection: &ready.connection,
        client_id: &request.client_id,
        asked_organization: request.org_code.as_deref(),
        routed_by_domain: matches!(pending.reason, Reason::Domain | Reason::Fallback),
        now,
    };
    let mut rng = app.randomness.rng();
    let transaction = sign_in(&app.store, attempt, &mut rng);
    let signed_in = app.metrics.timed(Part::SignIn, transaction).await?;
    crate::crash::here("signed_in");
    story.user = Some(signed_in.user.id.clone());
    story.steps.pass(
        "people.sign_in",
        if signed_in.created {
            "user created"
        } else {
            "user found"
        }
        .to_owned(),
        now,
    );
    let claims = claims::claims(&ready.connection, &identity, &signed_in);
    let mut answer = authorize::succeed(app, site, request.clone(), claims, now).await?;
    crate::crash::here("code_kept");
    let held = (handle, connection);
    pending::completed(
        app,
        site,
        (arrived.headers, answer.headers_mut()),
        held,
        request,
        now,
    )
    .await;
    Ok(answer)
}

/// Tells other systems at once of what must never happen: two implementations that differ on what is signed.
async fn raise(app: &App, story: &Story, refusal: &Refusal, reference: &str, now: Timestamp) {
    if *refusal != SamlRefusal::SecondOpinionDiffers {
        return;
    }
    let connection = story.connection.as_ref().map(|named| named.id.as_str());
    let payload = json!({ "reference": reference, "connection_id": connection });
    let kind = "login.second_opinion_differs";
    if let Err(error) = app.store.raise_event(kind, &payload, now).await {
        tracing::error!(reference, %error, "the event {kind} could not be kept");
    }
}

/// A trace belongs to a connection only if there is one: made-up ids would open rings of their own. The row answers
/// that; opening the provider could go out to its upstream, at the wish of whoever sends garbage.
async fn existing(app: &App, connection: &str) -> Option<Named> {
    let id = ConnectionId::parse(connection)?;
    let StoredConnection {
        strategy,
        display_name,
        ..
    } = app.store.connection(&id).await.ok()??;
    Some(Named {
        id,
        strategy,
        display_name,
    })
}

/// Keeps the trace, writes the one line of the log, and answers the reference.
fn tell(app: &Shared, story: &mut Story, refusal: Option<&Refusal>, now: Timestamp) -> String {
    if let Some(refusal) = refusal
        && !story.steps.has_failed()
    {
        let name = refusal.code().split('.').next().unwrap_or_default();
        story.steps.fail(name, refusal, now);
    }
    // Each answer has its own, so that a second one to the same login is not hidden behind the first.
    let reference = new_reference(&mut app.randomness.rng());
    let code = refusal.map(Refusal::code);
    let connection = story.connection.as_ref();
    let labels = connection.map(|named| (named.id.as_str(), named.strategy.as_str()));
    app.metrics.login_ended(labels, code);
    let connection_id = connection.map(|connection| connection.id.to_string());
    tracing::info!(
        reference,
        connection_id,
        code,
        user = story.user,
        "login ended"
    );
    app.traces.record(Trace {
        reference: reference.clone(),
        connection_id,
        strategy: connection.map(|connection| connection.strategy.clone()),
        connection_name: connection.map(|connection| connection.display_name.clone()),
        client_id: story
            .request
            .as_ref()
            .map(|request| request.client_id.clone()),
        user_id: story.user.clone(),
        code: code.map(str::to_owned),
        steps: story.steps.as_slice().to_vec(),
        of_stranger: story.request.is_none(),
        at: now.as_millisecond(),
    });
    reference
}

/// RelayState names the login; where an identity provider loses or rewrites it, InResponseTo does.
fn saml_handle(fields: &[(String, String)]) -> Result<Handle, Refusal> {
    let relayed = value(fields, "RelayState").filter(|state| !state.is_empty());
    if let Some(handle) = relayed.and_then(Handle::from_state) {
        return Ok(handle);
    }
    match (fedgate_providers::saml::in_response_to(fields)?, relayed) {
        (Some(id), _) => Handle::from_request_id(&id)
            .ok_or_else(|| LoginRefusal::StateUnknown.refuse().found(id)),
        (None, Some(state)) => Err(LoginRefusal::StateUnknown.refuse().found(state)),
        (None, None) => Err(LoginRefusal::StateMissing.into()),
    }
}

fn state_handle(fields: &[(String, String)]) -> Result<Handle, Refusal> {
    let state = value(fields, "state").ok_or(LoginRefusal::StateMissing)?;
    Handle::from_state(state).ok_or_else(|| LoginRefusal::StateUnknown.refuse().found(state))
}

fn value<'f>(fields: &'f [(String, String)], name: &str) -> Option<&'f str> {
    fields
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

/// The fields of a posted form; none, and why, where its body is too large or was cut off.
fn posted(
    app: &App,
    body: Result<Bytes, BytesRejection>,
) -> (Vec<(String, String)>, Result<(), Refusal>) {
    let fields = body
        .map_err(|rejection| unreadable(app, &rejection))
        .and_then(|bytes| form(&bytes));
    match fields {
        Ok(fields) => (fields, Ok(())),
        Err(refusal) => (Vec::new(), Err(refusal)),
    }
}

/// Why a posted body could not be read.
pub(super) fn unreadable(app: &App, rejection: &BytesRejection) -> Refusal {
    LoginRefusal::BodyUnreadable
        .refuse()
        .expected(format_args!(
            "a whole form of at most {} bytes",
            app.limits.form_bytes
        ))
        .detail(rejection)
}

/// # Errors
/// `login.body_unreadable` beyond [`MOST_FIELDS`].
fn form(bytes: &[u8]) -> Result<Vec<(String, String)>, Refusal> {
    let fields: Vec<_> = form_urlencoded::parse(bytes)
        .into_owned()
        .take(MOST_FIELDS + 1)
        .collect();
    if fields.len() > MOST_FIELDS {
        return Err(LoginRefusal::BodyUnreadable
            .refuse()
            .expected(format_args!("at most {MOST_FIELDS} fields")));
    }
    Ok(fields)
}
