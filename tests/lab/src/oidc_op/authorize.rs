//! The authorization endpoint and its login page.

use std::sync::Arc;

use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use url::Url;

use super::{Grant, Lie, OidcOp, random_text};
use crate::page::{self, AutoPost, LoginPage};
use crate::person;

/// An authorization request (OpenID Connect core 3.1.2.1), and what the login form adds to it.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_field_names, reason = "the names of the standard")]
pub(super) struct Login {
    response_type: String,
    client_id: String,
    redirect_uri: String,
    response_mode: String,
    scope: String,
    state: String,
    nonce: String,
    code_challenge: String,
    code_challenge_method: String,
    acr_values: String,
    login_hint: String,
    person: String,
    email: String,
    password: String,
    lie: String,
}

pub(super) async fn ask(State(op): State<Arc<OidcOp>>, Query(login): Query<Login>) -> Response {
    match problem(&op, &login) {
        Some(problem) => page::message(StatusCode::BAD_REQUEST, "This request is refused", problem),
        None => show(&op, &login, false),
    }
}

pub(super) async fn login(State(op): State<Arc<OidcOp>>, Form(login): Form<Login>) -> Response {
    if let Some(problem) = problem(&op, &login) {
        return page::message(StatusCode::BAD_REQUEST, "This request is refused", problem);
    }
    let Some(person) = person::find(op.people(), &login.person, &login.email, &login.password)
    else {
        return show(&op, &login, true);
    };
    let code = random_text();
    let lie = Lie::named(&login.lie);
    op.grants.keep(Grant {
        code: Some(code.clone()),
        access_token: random_text(),
        redirect_uri: login.redirect_uri.clone(),
        nonce: stated(&login.nonce),
        code_challenge: stated(&login.code_challenge),
        acr: login.acr_values.split(' ').next().and_then(stated),
        person: person.clone(),
        authenticated_at: op.clock.now().as_second(),
        lie,
    });
    leave(&login, &parameters(&op, lie, &code, &login.state))
}

fn problem(op: &OidcOp, login: &Login) -> Option<&'static str> {
    if login.client_id != op.options.client_id {
        return Some("The client_id is not known.");
    }
    if Url::parse(&login.redirect_uri).is_err() {
        return Some("The redirect_uri is not a URL.");
    }
    if login.response_type != "code" {
        return Some("Only response_type=code is served.");
    }
    if !login.scope.split(' ').any(|scope| scope == "openid") {
        return Some("The scope lacks openid.");
    }
    let plain = !login.code_challenge.is_empty() && login.code_challenge_method != "S256";
    plain.then_some("Only code_challenge_method=S256 is served.")
}

/// What the callback carries (RFC 6749 4.1.2, RFC 9207).
fn parameters(op: &OidcOp, lie: Lie, code: &str, state: &str) -> Vec<(&'static str, String)> {
    let mut parameters = match lie.callback_error() {
        Some(error) => vec![
            ("error", error.to_owned()),
            ("error_description", "told so by the lab".to_owned()),
        ],
        None if lie == Lie::CodeMissing => Vec::new(),
        None => vec![("code", code.to_owned())],
    };
    match lie {
        Lie::CodeTwice => parameters.push(("code", random_text())),
        Lie::TokensInCallback => parameters.push(("id_token", "e30.e30.".to_owned())),
        _ => {}
    }
    match lie {
        Lie::NoState => {}
        Lie::WrongState => parameters.push(("state", random_text())),
        _ => parameters.push(("state", state.to_owned())),
    }
    match lie {
        Lie::NoIssInCallback => {}
        Lie::IssMismatchInCallback => {
            parameters.push(("iss", "https://another-issuer.test".to_owned()));
        }
        _ => parameters.push(("iss", op.issuer().to_owned())),
    }
    parameters
}

fn leave(login: &Login, parameters: &[(&'static str, String)]) -> Response {
    if login.response_mode == "form_post" {
        let fields: Vec<_> = parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        return page::respond(
            StatusCode::OK,
            &AutoPost {
                action: &login.redirect_uri,
                fields: &fields,
            },
        );
    }
    match Url::parse(&login.redirect_uri) {
        Ok(mut url) => {
            url.query_pairs_mut().extend_pairs(parameters);
            Redirect::to(url.as_str()).into_response()
        }
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

fn show(op: &OidcOp, login: &Login, wrong: bool) -> Response {
    let fields = [
        ("response_type", login.response_type.clone()),
        ("client_id", login.client_id.clone()),
        ("redirect_uri", login.redirect_uri.clone()),
        ("response_mode", login.response_mode.clone()),
        ("scope", login.scope.clone()),
        ("state", login.state.clone()),
        ("nonce", login.nonce.clone()),
        ("code_challenge", login.code_challenge.clone()),
        ("code_challenge_method", login.code_challenge_method.clone()),
        ("acr_values", login.acr_values.clone()),
    ];
    let chosen = Lie::named(&login.lie);
    let lies: Vec<_> = Lie::ALL
        .iter()
        .map(|lie| (lie.name(), lie.label(), *lie == chosen))
        .collect();
    let page = LoginPage {
        provider: &op.options.name,
        service: &login.redirect_uri,
        fields: &fields,
        email: if login.email.is_empty() {
            &login.login_hint
        } else {
            &login.email
        },
        wrong,
        people: op.people(),
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

fn stated(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}
