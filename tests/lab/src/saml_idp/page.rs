//! What the identity provider answers over HTTP.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Query, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::delivery::deliver;
use super::request::signature::{check_document, check_query};
use super::{AuthnRequest, Lie, ResponseParameters, SamlIdp};
use crate::page::{self, LoginPage};
use crate::person;

pub(super) fn router(idp: Arc<SamlIdp>) -> Router {
    Router::new()
        .route("/metadata", get(metadata))
        .route("/sso", get(sso_by_redirect).post(sso_by_post))
        .route("/unsolicited", get(unsolicited))
        .route("/login", post(login))
        .merge(page::assets())
        .with_state(idp)
}

/// A message of the Redirect or POST binding.
#[derive(Deserialize)]
struct Message {
    #[serde(rename = "SAMLRequest")]
    request: String,
    #[serde(rename = "RelayState")]
    relay_state: Option<String>,
    login_hint: Option<String>,
}

/// An answer to no request.
#[derive(Deserialize)]
struct Unsolicited {
    acs: String,
    audience: String,
    #[serde(default)]
    relay_state: String,
}

/// The login form; what the request said travels in it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Login {
    id: String,
    acs: String,
    audience: String,
    relay_state: String,
    context: String,
    person: String,
    email: String,
    password: String,
    lie: String,
}

async fn metadata(State(idp): State<Arc<SamlIdp>>) -> Response {
    match idp.disguised().map_or_else(|| idp.metadata(), Ok) {
        Ok(xml) => (
            [(header::CONTENT_TYPE, "application/samlmetadata+xml")],
            xml,
        )
            .into_response(),
        Err(error) => page::failure(&error),
    }
}

async fn sso_by_redirect(
    State(idp): State<Arc<SamlIdp>>,
    RawQuery(query): RawQuery,
    Query(message): Query<Message>,
) -> Response {
    let request = AuthnRequest::from_redirect(&message.request).and_then(|request| {
        idp.check_request(|known| check_query(&query.unwrap_or_default(), known))?;
        Ok(request)
    });
    asked(&idp, request, message)
}

async fn sso_by_post(State(idp): State<Arc<SamlIdp>>, Form(message): Form<Message>) -> Response {
    let request = AuthnRequest::from_post(&message.request).and_then(|request| {
        let xml = AuthnRequest::document(&message.request)?;
        idp.check_request(|known| check_document(&xml, &request.id, known))?;
        Ok(request)
    });
    asked(&idp, request, message)
}

async fn unsolicited(
    State(idp): State<Arc<SamlIdp>>,
    Query(asked): Query<Unsolicited>,
) -> Response {
    let login = Login {
        acs: asked.acs,
        audience: asked.audience,
        relay_state: asked.relay_state,
        ..Login::default()
    };
    show(&idp, &login, false)
}

async fn login(State(idp): State<Arc<SamlIdp>>, Form(login): Form<Login>) -> Response {
    let Some(person) = person::find(idp.people(), &login.person, &login.email, &login.password)
    else {
        return show(&idp, &login, true);
    };
    let lie = Lie::named(&login.lie);
    let parameters = ResponseParameters {
        acs: &login.acs,
        audience: &login.audience,
        in_response_to: stated(&login.id),
        person,
        context: stated(&login.context),
        lie,
    };
    match idp.response(&parameters) {
        Ok(response) => deliver(lie, &login.acs, response, stated(&login.relay_state)),
        Err(error) => page::failure(&error),
    }
}

fn asked(idp: &SamlIdp, request: Result<AuthnRequest, String>, message: Message) -> Response {
    match request {
        Ok(request) => {
            let login = Login {
                id: request.id,
                acs: request.acs,
                audience: request.issuer,
                context: request.context.unwrap_or_default(),
                relay_state: message.relay_state.unwrap_or_default(),
                email: message.login_hint.or(request.subject).unwrap_or_default(),
                ..Login::default()
            };
            show(idp, &login, false)
        }
        Err(error) => page::message(
            StatusCode::BAD_REQUEST,
            "This request cannot be read",
            &error,
        ),
    }
}

fn show(idp: &SamlIdp, login: &Login, wrong: bool) -> Response {
    let fields = [
        ("id", login.id.clone()),
        ("acs", login.acs.clone()),
        ("audience", login.audience.clone()),
        ("relay_state", login.relay_state.clone()),
        ("context", login.context.clone()),
    ];
    let chosen = Lie::named(&login.lie);
    let lies: Vec<_> = Lie::ALL
        .iter()
        .map(|lie| (lie.name(), lie.label(), *lie == chosen))
        .collect();
    let page = LoginPage {
        provider: &idp.options.name,
        service: &login.audience,
        fields: &fields,
        email: &login.email,
        wrong,
        people: idp.people(),
        lies: &lies,
    };
    page::respond(
        if wrong {
            StatusCode::UNAUTHORIZED
        } else {
            StatusCode::OK
        },
        &page,
    )
}

fn stated(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}
