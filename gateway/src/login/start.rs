//! From a validated authorization request to the upstream: route, begin, seal, redirect.

use axum::response::{IntoResponse, Redirect as HttpRedirect, Response};
use fedgate_certs::Timestamp;
use fedgate_providers::connection::ConnectionId;
use fedgate_providers::error::Refusal;
use fedgate_providers::login::{Handle, Login, Redirect, Site, Steps};
use http::{HeaderMap, HeaderValue, header};

use super::pending::{self, Kept, PendingLogin};
use super::way::{oauth_error, ways};
use super::{LoginRefusal, continued};
use crate::app::Shared;
use crate::error;
use crate::events::trace::{Trace, new_reference};
use crate::headers::FormLeadsTo;
use crate::op::AuthorizeRequest;
use crate::op::authorize::error_redirect;
use crate::page::{self, OnTheWay};
use crate::registry::Ready;
use crate::routing::route::{self, Decision};
use crate::routing::{Reason, RouteRefusal};
use crate::telemetry::Part;

/// Takes a validated request to its upstream, or to the sign-in page.
pub async fn authorize(
    app: &Shared,
    site: &Site,
    request: AuthorizeRequest,
    headers: &HeaderMap,
) -> Response {
    let decided = match check_browser(site, headers) {
        Ok(()) => route::decide(app, &request).await,
        Err(refusal) => Err(refusal),
    };
    match decided {
        Ok(Decision::To(connection, reason)) => {
            begin(app, site, request, headers, (&connection, reason)).await
        }
        Ok(Decision::Ask) => continued::ask(app, site, &request, headers, None).await,
        Err(refusal) if is_the_applications(&refusal) => {
            record_early(app, Some(&request), None, &refusal);
            let description = format!("{}: {}", refusal.code(), refusal.entry().meaning);
            error_redirect(site, &request, oauth_error(&refusal), &description)
        }
        Err(refusal) => refuse(app, site, headers, (&request, None), &refusal).await,
    }
}

/// Begins a login at one connection.
pub async fn begin(
    app: &Shared,
    site: &Site,
    request: AuthorizeRequest,
    headers: &HeaderMap,
    (connection, reason): (&ConnectionId, Reason),
) -> Response {
    let now = app.clock.now();
    let begun = match app
        .registry
        .provider(&app.store, &app.sealer, &app.egress, connection, now)
        .await
    {
        Ok(ready) => {
            let left = leave(app, site, &request, headers, &ready, reason, now);
            let left = app.metrics.timed(Part::Begin, left).await;
            left.map_err(|refusal| (refusal, Some(ready)))
        }
        Err(refusal) => Err((refusal, None)),
    };
    match begun {
        Ok(answer) => answer,
        Err((refusal, ready)) => {
            refuse(app, site, headers, (&request, ready.as_deref()), &refusal).await
        }
    }
}

/// Asks the provider where to go and seals what it will need into this browser.
async fn leave(
    app: &Shared,
    site: &Site,
    request: &AuthorizeRequest,
    headers: &HeaderMap,
    ready: &Ready,
    reason: Reason,
    now: Timestamp,
) -> Result<Response, Refusal> {
    let handle = Handle::random(&mut app.randomness.rng());
    let login = Login {
        site: site.clone(),
        handle,
        hint: request.login_hint.clone(),
        prompt: request.prompt.clone(),
        max_age: request.max_age,
        acr_values: request.acr_values.clone(),
        ui_locales: request.ui_locales.clone(),
    };
    let begun = ready
        .provider
        .begin(&login, now, &mut app.randomness.rng())?;
    let mut steps = Steps::default();
    steps.pass(
        "authorize",
        format!("application {}", request.client_id),
        now,
    );
    steps.pass(
        "route",
        format!("{} ({})", reason.as_str(), ready.connection.id),
        now,
    );
    steps.pass(
        "begin",
        format!("sent to {}", destination(&begun.redirect)),
        now,
    );
    let kept = Kept::Login(Box::new(PendingLogin {
        request: request.clone(),
        reason,
        provider: begun.pending,
        steps,
    }));
    let mut cookies = HeaderMap::new();
    pending::keep(
        app,
        site,
        (headers, &mut cookies),
        (handle, &ready.connection.id),
        &kept,
        now,
    )
    .await?;
    crate::crash::here("begun");
    let mut answer = to_upstream(
        begun.redirect,
        &ready.connection.display_name,
        error::language(headers, request.ui_locales.as_deref()),
    );
    let leads_to = FormLeadsTo(request.redirect_uri.clone());
    answer.extensions_mut().insert(leads_to);
    answer.headers_mut().extend(cookies);
    answer
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(answer)
}

pub(crate) fn to_upstream(
    redirect: Redirect,
    connection_name: &str,
    language: page::Language,
) -> Response {
    match redirect {
        Redirect::Get(url) => HttpRedirect::to(url.as_str()).into_response(),
        Redirect::Post { action, fields } => page::on_the_way(&OnTheWay {
            action: action.as_str(),
            fields: &fields,
            connection_name,
            language,
        }),
    }
}

pub(crate) fn destination(redirect: &Redirect) -> String {
    let (Redirect::Get(url) | Redirect::Post { action: url, .. }) = redirect;
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

/// Cookies are set on top-level navigations only, and under the name that the callback will have.
pub(crate) fn check_browser(site: &Site, headers: &HeaderMap) -> Result<(), Refusal> {
    let sent = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if sent("sec-fetch-dest").is_some_and(|dest| dest != "document") {
        return Err(LoginRefusal::Embedded
            .refuse()
            .expected("document")
            .found(sent("sec-fetch-dest").unwrap_or_default()));
    }
    let expected = site.base_url.split("://").nth(1).unwrap_or_default();
    match sent("host") {
        Some(found) if found != expected && is_loopback(found) && is_loopback(expected) => {
            Err(LoginRefusal::WrongHost
                .refuse()
                .expected(expected)
                .found(found))
        }
        _ => Ok(()),
    }
}

/// Browsers keep the cookies of `localhost`, `127.0.0.1` and `[::1]` apart. Behind a proxy the Host may be anything,
/// so other names are not compared.
fn is_loopback(authority: &str) -> bool {
    let host = authority
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
        .map_or(authority, |(host, _)| host);
    host == "localhost"
        || host == "[::1]"
        || host
            .parse::<std::net::Ipv4Addr>()
            .is_ok_and(|ip| ip.is_loopback())
}

fn is_the_applications(refusal: &Refusal) -> bool {
    *refusal == RouteRefusal::ConnectionNotEnabled || *refusal == RouteRefusal::OrganizationUnknown
}

async fn refuse(
    app: &Shared,
    site: &Site,
    headers: &HeaderMap,
    (request, ready): (&AuthorizeRequest, Option<&Ready>),
    refusal: &Refusal,
) -> Response {
    let reference = record_early(app, Some(request), ready, refusal);
    error::page(
        headers,
        refusal,
        &reference,
        &ways(app, site, Some(request), refusal).await,
    )
}

/// Keeps the trace of a login that ended before it left for the upstream, and answers its reference.
pub(super) fn record_early(
    app: &Shared,
    request: Option<&AuthorizeRequest>,
    ready: Option<&Ready>,
    refusal: &Refusal,
) -> String {
    let now = app.clock.now();
    let mut steps = Steps::default();
    let client_id = request.map(|request| request.client_id.clone());
    if let Some(client_id) = &client_id {
        steps.pass("authorize", format!("application {client_id}"), now);
    }
    steps.fail(
        match (request, ready) {
            (None, _) => "login",
            (_, None) => "route",
            (_, Some(_)) => "begin",
        },
        refusal,
        now,
    );
    let reference = new_reference(&mut app.randomness.rng());
    let labels = ready.map(|ready| {
        let connection = &ready.connection;
        (connection.id.as_str(), connection.spec.strategy.as_str())
    });
    app.metrics.login_ended(labels, Some(refusal.code()));
    tracing::info!(reference, code = refusal.code(), client_id, "login refused");
    app.traces.record(Trace {
        reference: reference.clone(),
        connection_id: ready.map(|ready| ready.connection.id.to_string()),
        strategy: ready.map(|ready| ready.connection.spec.strategy.clone()),
        connection_name: ready.map(|ready| ready.connection.display_name.clone()),
        client_id,
        user_id: None,
        code: Some(refusal.code().to_owned()),
        steps: steps.as_slice().to_vec(),
        of_stranger: false,
        at: now.as_millisecond(),
    });
    reference
}
