//! The sign-in page: its sealed request, what a person typed or pressed, and "start again".

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use fedgate_providers::connection::domain_of_address;
use fedgate_providers::error::Refusal;
use fedgate_providers::login::Site;
use http::HeaderMap;
use url::form_urlencoded;

use super::way::ways;
use super::{CONTINUE_PATH, LoginRefusal, callback, start};
use crate::app::{App, Shared, later};
use crate::error;
use crate::headers::FormLeadsTo;
use crate::op::{AuthorizeRequest, OpRefusal};
use crate::page::{self, EmailError, SignInPage};
use crate::routing::route::{self, Decision};
use crate::routing::{RouteRefusal, button};
use crate::telemetry::request::Told;

/// Says in the seal what it is for.
const PURPOSE: &str = "sign-in request";
const FORMAT: &[u8] = &[1];

/// Shows the sign-in page; `typed` is what the person typed and why it did not lead anywhere.
pub async fn ask(
    app: &Shared,
    site: &Site,
    request: &AuthorizeRequest,
    headers: &HeaderMap,
    typed: Option<(&str, &Refusal)>,
) -> Response {
    let shown = async {
        Ok::<_, Refusal>((
            button::buttons(app, request).await?,
            application_name(app, request).await?,
            seal(app, request)?,
        ))
    };
    let (rows, application, sealed) = match shown.await {
        Ok(shown) => shown,
        Err(refusal) => return refuse(app, site, headers, Some(request), &refusal).await,
    };
    let hinted = request
        .login_hint
        .as_deref()
        .filter(|hint| domain_of_address(hint).is_some());
    let unknown = RouteRefusal::UnknownDomain.refuse();
    let problem = typed
        .map(|(_, refusal)| refusal)
        .or(hinted.map(|_| &unknown));
    let reference = problem.map(|refusal| start::record_early(app, Some(request), None, refusal));
    let buttons: Vec<_> = rows.iter().map(button::Shown::button).collect();
    let mut answer = page::sign_in(&SignInPage {
        application: &application,
        request: &sealed,
        action: CONTINUE_PATH,
        email: typed.map(|(email, _)| email).or(hinted).unwrap_or_default(),
        email_error: problem.map(email_error),
        code: problem.map(Refusal::code),
        reference: reference.as_deref(),
        connections: &buttons,
        language: error::language(headers, request.ui_locales.as_deref()),
    });
    let leads_to = FormLeadsTo(request.redirect_uri.clone());
    answer.extensions_mut().insert(leads_to);
    if let Some(problem) = problem {
        Told::refused(&mut answer, problem, reference.as_deref());
    }
    answer
}

fn email_error(refusal: &Refusal) -> EmailError {
    if *refusal == RouteRefusal::EmailInvalid {
        EmailError::Malformed
    } else {
        EmailError::NoWay
    }
}

/// `POST /login/continue`: the address that was typed, or the button that was pressed.
pub async fn by_form(
    State(app): State<Shared>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let site = app.site.clone();
    let body = match body {
        Ok(body) => body,
        Err(rejection) => {
            let refusal = callback::unreadable(&app, &rejection);
            return refuse(&app, &site, &headers, None, &refusal).await;
        }
    };
    let field = |name: &str| {
        form_urlencoded::parse(&body)
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    let request = match reopened(&app, field("request").as_deref().unwrap_or_default()).await {
        Ok(request) => request,
        Err((refusal, request)) => {
            return refuse(&app, &site, &headers, request.as_deref(), &refusal).await;
        }
    };
    // Anybody's page can post here, from a frame or a script too, with a request that it was sealed itself.
    if let Err(refusal) = start::check_browser(&site, &headers) {
        return refuse(&app, &site, &headers, Some(&request), &refusal).await;
    }
    let email = field("email").unwrap_or_default();
    let decided = match field("connection") {
        Some(pressed) => route::by_button(&app, &request, &pressed).await,
        None => route::by_address(&app, &request, email.trim()).await,
    };
    match decided {
        Ok(Decision::To(connection, reason)) => {
            let request = with_hint(request, email.trim());
            start::begin(&app, &site, request, &headers, (&connection, reason)).await
        }
        Ok(Decision::Ask) => ask(&app, &site, &request, &headers, None).await,
        Err(refusal)
            if refusal == RouteRefusal::UnknownDomain || refusal == RouteRefusal::EmailInvalid =>
        {
            ask(&app, &site, &request, &headers, Some((&email, &refusal))).await
        }
        Err(refusal) => refuse(&app, &site, &headers, Some(&request), &refusal).await,
    }
}

/// Beside a button anything may have been typed, of any length; only an address is worth keeping and sending on.
fn with_hint(request: AuthorizeRequest, typed: &str) -> AuthorizeRequest {
    match domain_of_address(typed) {
        None => request,
        Some(_) => AuthorizeRequest {
            login_hint: Some(typed.to_owned()),
            ..request
        },
    }
}

/// `GET /login/again?request=…`: the same request from the start.
pub async fn again(
    State(app): State<Shared>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let site = app.site.clone();
    let query = query.unwrap_or_default();
    let sealed = form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == "request")
        .map(|(_, value)| value.into_owned());
    match reopened(&app, &sealed.unwrap_or_default()).await {
        Ok(request) => start::authorize(&app, &site, request, &headers).await,
        Err((refusal, request)) => {
            refuse(&app, &site, &headers, request.as_deref(), &refusal).await
        }
    }
}

/// Where "Start again" leads.
pub fn again_url(app: &App, site: &Site, request: &AuthorizeRequest) -> Option<String> {
    let sealed = seal(app, request).ok()?;
    Some(site.url(&format!("/login/again?request={sealed}")))
}

/// Seals a request, for a page or a cookie.
pub(super) fn seal(app: &App, request: &AuthorizeRequest) -> Result<String, Refusal> {
    let now = app.clock.now();
    let plain =
        postcard::to_stdvec(request).map_err(|_| LoginRefusal::RequestUnreadable.refuse())?;
    let expires_at = later(now, app.limits.sign_in_page_seconds);
    let sealed = app.sealer.seal_for_day(
        PURPOSE,
        &[FORMAT],
        &plain,
        expires_at,
        now,
        &mut app.randomness.rng(),
    );
    sealed.map_err(|_| LoginRefusal::RequestUnreadable.refuse())
}

/// Opens a sealed request; with the refusal of an expired one comes the request, so that the page offers a way on.
pub(super) fn open(
    app: &App,
    sealed: &str,
) -> Result<AuthorizeRequest, (Refusal, Option<Box<AuthorizeRequest>>)> {
    let unreadable = || (LoginRefusal::RequestUnreadable.refuse(), None);
    let opened = app
        .sealer
        .open_for_day(PURPOSE, &[FORMAT], sealed, app.clock.now())
        .map_err(|_| unreadable())?;
    let request: AuthorizeRequest =
        postcard::from_bytes(&opened.plain).map_err(|_| unreadable())?;
    if opened.expired {
        Err((LoginRefusal::PageExpired.refuse(), Some(Box::new(request))))
    } else {
        Ok(request)
    }
}

/// Opens a sealed request whose way back is still registered. Each page seals its request anew, so that one which was
/// sound once would live for ever.
async fn reopened(
    app: &App,
    sealed: &str,
) -> Result<AuthorizeRequest, (Refusal, Option<Box<AuthorizeRequest>>)> {
    let opened = open(app, sealed);
    let request = match &opened {
        Ok(request) => request,
        Err((_, Some(request))) => request,
        Err((_, None)) => return opened,
    };
    let refusal = match app.store.application(&request.client_id).await {
        Err(error) => error.into(),
        Ok(None) => OpRefusal::ClientUnknown.refuse().found(&request.client_id),
        Ok(Some((application, _))) if application.redirect_uris.contains(&request.redirect_uri) => {
            return opened;
        }
        Ok(Some((application, _))) => OpRefusal::RedirectUriMismatch
            .refuse()
            .expected(application.redirect_uris.join(" "))
            .found(&request.redirect_uri),
    };
    Err((refusal, None))
}

async fn application_name(app: &App, request: &AuthorizeRequest) -> Result<String, Refusal> {
    let application = app.store.near_application(&request.client_id).await?;
    Ok(application.map_or_else(
        || request.client_id.clone(),
        |application| application.name.clone(),
    ))
}

async fn refuse(
    app: &Shared,
    site: &Site,
    headers: &HeaderMap,
    request: Option<&AuthorizeRequest>,
    refusal: &Refusal,
) -> Response {
    let reference = start::record_early(app, request, None, refusal);
    error::page(
        headers,
        refusal,
        &reference,
        &ways(app, site, request, refusal).await,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::testing::grant;

    #[test]
    fn what_is_typed_beside_a_button_cannot_swell_the_pending_login() {
        let request = grant().request;
        let hint = |typed: &str| with_hint(request.clone(), typed).login_hint;
        assert_eq!(hint("ann@acme.test").as_deref(), Some("ann@acme.test"));
        let long = format!("{}@acme.test", "a".repeat(400_000));
        for typed in ["", "ann", "ann@", &long] {
            assert_eq!(hint(typed), request.login_hint, "{}", typed.len());
        }
    }
}
