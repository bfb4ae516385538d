//! The frame of the lab's pages, and the login page that both identity providers show.

use askama::Template;
use axum::Router;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use crate::error::LabError;
use crate::person::Person;

const STYLESHEET: &str = include_str!("../assets/lab.css");

/// Own style and script only. Forms may go anywhere: an identity provider posts to whoever asked.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; frame-src 'self'; \
    base-uri 'none'; frame-ancestors 'none'";
const HEADERS: [(HeaderName, &str); 4] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// The look of the pages: the gateway's stylesheet and script, and the lab's additions.
pub(crate) fn assets<S: Clone + Send + Sync + 'static>() -> Router<S> {
    fedgate::page::routes().route(
        "/lab.css",
        get(async || {
            (
                [(header::CONTENT_TYPE, "text/css; charset=utf-8")],
                STYLESHEET,
            )
        }),
    )
}

/// A page as an answer.
pub(crate) fn respond(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (status, HEADERS, Html(html)).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// A page that says one thing.
pub(crate) fn message(status: StatusCode, heading: &str, text: &str) -> Response {
    respond(status, &Message { heading, text })
}

/// The page for a part of the lab that failed.
pub(crate) fn failure(error: &LabError) -> Response {
    message(
        StatusCode::BAD_GATEWAY,
        "The demo could not go on",
        &error.to_string(),
    )
}

#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    heading: &'a str,
    text: &'a str,
}

/// Where people of an identity provider say who they are.
#[derive(Template)]
#[template(path = "login.html")]
pub(crate) struct LoginPage<'a> {
    /// The identity provider's name.
    pub(crate) provider: &'a str,
    /// Who asks.
    pub(crate) service: &'a str,
    /// What the form carries along.
    pub(crate) fields: &'a [(&'static str, String)],
    /// What was typed, or hinted at.
    pub(crate) email: &'a str,
    /// Whether address and password did not fit.
    pub(crate) wrong: bool,
    /// Everybody, since it is a lab.
    pub(crate) people: &'a [Person],
    /// Name and label of each way to misbehave, and whether it is chosen.
    pub(crate) lies: &'a [(&'static str, &'static str, bool)],
}

/// A form that posts itself, or by its button without a script.
#[derive(Template)]
#[template(path = "auto_post.html")]
pub(crate) struct AutoPost<'a> {
    /// Where to.
    pub(crate) action: &'a str,
    /// What.
    pub(crate) fields: &'a [(String, String)],
}
