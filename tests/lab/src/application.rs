//! The demo application: a plain OpenID Connect client of the gateway that shows who signed in.

mod client;
mod id_token;
mod kept;
mod page;

pub use client::{ApplicationOptions, SignInProblem};
pub(crate) use page::name;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use fedgate::app::Clock;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::LabError;
use crate::oidc_op::random_text;
use client::{Begun, Callback, Hints};
use kept::Kept;

/// Names the session in this application. Cookies are shared among the ports of a host: the name is the demo's own.
pub(crate) const SESSION: &str = "demo_session";
/// Names the sign-in that this browser began.
const BEGUN: &str = "demo_sign_in";
/// Sessions, and begun sign-ins, that are kept in memory.
const KEPT: usize = 1000;

/// The application. Share it behind an [`Arc`].
#[derive(Debug)]
pub struct Application {
    options: ApplicationOptions,
    clock: Arc<Clock>,
    http: reqwest::Client,
    begun: Kept<Begun>,
    sessions: Kept<Session>,
    seen: Kept<()>,
}

/// Somebody who signed in.
#[derive(Clone, Debug)]
struct Session {
    id_token: String,
    claims: Map<String, Value>,
    /// Whether the subject came for the first time.
    first: bool,
}

impl Application {
    /// The application of those options.
    ///
    /// # Errors
    /// Those of TLS.
    pub fn new(options: ApplicationOptions, clock: Arc<Clock>) -> Result<Self, LabError> {
        Ok(Self {
            options,
            clock,
            http: crate::browser::client()?,
            begun: Kept::new(KEPT),
            sessions: Kept::new(KEPT),
            seen: Kept::new(KEPT),
        })
    }

    /// How it is registered.
    pub fn options(&self) -> &ApplicationOptions {
        &self.options
    }

    /// The claims of a session.
    pub(crate) fn claims(&self, session: &str) -> Option<Map<String, Value>> {
        self.sessions.find(session).map(|session| session.claims)
    }

    /// `/`, `/sign-in`, `/cb`, `/sign-out` and the look of its pages.
    pub fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route("/", get(start))
            .route("/sign-in", get(sign_in))
            .route("/cb", get(callback))
            .route("/sign-out", post(sign_out))
            .layer(middleware::from_fn_with_state(
                self.clone(),
                at_its_own_name,
            ))
            .merge(crate::page::assets())
            .with_state(self)
    }

    fn session(&self, headers: &HeaderMap) -> Option<Session> {
        self.sessions.find(cookie(headers, SESSION)?)
    }
}

/// Browsers keep the cookies of `localhost` and `127.0.0.1` apart: a sign-in must begin where it comes back to.
async fn at_its_own_name(
    State(app): State<Arc<Application>>,
    headers: HeaderMap,
    request: Request,
    next: Next,
) -> Response {
    let own = app.options.base_url.split("://").nth(1).unwrap_or_default();
    let host = headers
        .get(header::HOST)
        .and_then(|value| value.to_str().ok());
    match host.filter(|host| *host != own) {
        Some(_) => {
            let path = request
                .uri()
                .path_and_query()
                .map_or("/", |path| path.as_str());
            Redirect::temporary(&format!("{}{path}", app.options.base_url)).into_response()
        }
        None => next.run(request).await,
    }
}

#[derive(Deserialize)]
struct Start {
    signed_out: Option<String>,
}

async fn start(
    State(app): State<Arc<Application>>,
    Query(query): Query<Start>,
    headers: HeaderMap,
) -> Response {
    match app.session(&headers) {
        Some(session) => page::signed_in(&session.claims, &session.id_token, session.first),
        None => page::start(query.signed_out.is_some()),
    }
}

async fn sign_in(State(app): State<Arc<Application>>, Query(hints): Query<Hints>) -> Response {
    match client::begin(&app, &hints).await {
        Ok((begun, address)) => {
            let id = random_text();
            let set = set_cookie(BEGUN, &id);
            app.begun.put(id, begun);
            ([(header::SET_COOKIE, set)], Redirect::to(address.as_str())).into_response()
        }
        Err(error) => crate::page::failure(&error),
    }
}

async fn callback(
    State(app): State<Arc<Application>>,
    Query(callback): Query<Callback>,
    headers: HeaderMap,
) -> Response {
    let begun = cookie(&headers, BEGUN).and_then(|id| app.begun.take(id));
    match client::complete(&app, begun, &callback).await {
        Ok((id_token, claims)) => {
            let subject = claims
                .get("sub")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned();
            let first = app.seen.put(subject, ());
            let id = random_text();
            let set = set_cookie(SESSION, &id);
            app.sessions.put(
                id,
                Session {
                    id_token,
                    claims,
                    first,
                },
            );
            ([(header::SET_COOKIE, set)], Redirect::to("/")).into_response()
        }
        Err(problem) => page::not_signed_in(&problem),
    }
}

/// Ends the session here, and goes on to the gateway's (RP-Initiated Logout 1.0).
async fn sign_out(State(app): State<Arc<Application>>, headers: HeaderMap) -> Response {
    let session = cookie(&headers, SESSION).and_then(|id| app.sessions.take(id));
    let forget =
        HeaderValue::from_static("demo_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
    let target = match session {
        None => "/".to_owned(),
        Some(session) => match client::logout_url(&app, &session.id_token).await {
            Ok(url) => url.into(),
            Err(error) => return crate::page::failure(&error),
        },
    };
    ([(header::SET_COOKIE, forget)], Redirect::to(&target)).into_response()
}

fn set_cookie(name: &str, value: &str) -> String {
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax")
}

fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

#[cfg(test)]
mod tests;
