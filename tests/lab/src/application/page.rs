//! The application's pages.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::SignInProblem;
use crate::page::respond;

/// The most rows of a table of claims.
const ROWS: usize = 200;
/// Claims that are a NumericDate (RFC 7519 2).
const TIMES: [&str; 4] = ["iat", "exp", "nbf", "auth_time"];

/// Nobody is signed in.
pub(super) fn start(signed_out: bool) -> Response {
    respond(StatusCode::OK, &Start { signed_out })
}

/// Who is signed in.
pub(super) fn signed_in(claims: &Map<String, Value>, id_token: &str, first: bool) -> Response {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let upstream = |name: &str| {
        claims
            .get("ext_provider")
            .and_then(|provider| provider.get(name)?.as_str())
            .unwrap_or_default()
    };
    let page = SignedIn {
        name: name(claims),
        email: text("email"),
        verified: claims.get("email_verified").and_then(Value::as_bool) == Some(true),
        connection: upstream("name"),
        strategy: upstream("strategy"),
        organization: text("org_code"),
        first,
        rows: rows(claims),
        id_token,
    };
    respond(StatusCode::OK, &page)
}

/// What to call somebody: the best that the claims tell.
pub(crate) fn name(claims: &Map<String, Value>) -> String {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let parts = format!("{} {}", text("given_name"), text("family_name"));
    let names = [text("name"), parts.trim(), text("email"), text("sub")];
    names
        .into_iter()
        .find(|name| !name.is_empty())
        .unwrap_or_default()
        .to_owned()
}

/// A callback that signed nobody in.
pub(super) fn not_signed_in(problem: &SignInProblem) -> Response {
    let (error, text) = match problem {
        SignInProblem::Told { error, description } => (error.as_str(), description.clone()),
        other => ("", other.to_string()),
    };
    respond(StatusCode::BAD_REQUEST, &NotSignedIn { error, text: &text })
}

/// Claims as rows: the path of a value, and the value. Members of objects have rows of their own.
fn rows(claims: &Map<String, Value>) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    add(&mut rows, "", claims);
    rows
}

fn add(rows: &mut Vec<(String, String)>, prefix: &str, claims: &Map<String, Value>) {
    for (name, value) in claims {
        let path = format!("{prefix}{name}");
        match value {
            _ if rows.len() >= ROWS => return,
            Value::Object(members) => add(rows, &format!("{path}."), members),
            Value::Array(values) => rows.push((
                path,
                values.iter().map(plain).collect::<Vec<_>>().join(", "),
            )),
            value if TIMES.contains(&name.as_str()) => rows.push((path, time(value))),
            value => rows.push((path, plain(value))),
        }
    }
}

/// Seconds since the epoch, and the same for people.
fn time(value: &Value) -> String {
    let at = value
        .as_i64()
        .and_then(|seconds| Timestamp::from_second(seconds).ok());
    at.map_or_else(|| plain(value), |at| format!("{value} · {at}"))
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[derive(Template)]
#[template(path = "start.html")]
struct Start {
    signed_out: bool,
}

#[derive(Template)]
#[template(path = "signed_in.html")]
struct SignedIn<'a> {
    name: String,
    email: &'a str,
    verified: bool,
    connection: &'a str,
    strategy: &'a str,
    organization: &'a str,
    first: bool,
    rows: Vec<(String, String)>,
    id_token: &'a str,
}

#[derive(Template)]
#[template(path = "not_signed_in.html")]
struct NotSignedIn<'a> {
    error: &'a str,
    text: &'a str,
}
