//! The pages that people see. Plain values in, a whole response out; nothing here reads a request or a store.
//!
//! Every page works without a script and holds no inline script or style. It needs from the content security policy
//! `style-src 'self'; script-src 'self'; img-src 'self'`, and a `form-action` that allows its form.

mod asset;
mod difference;
mod explanation;
mod language;
mod on_the_way;
mod phrase;
mod refused;
mod setup;
mod sign_in;
mod signed_out;
mod strings;
mod text;

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

pub use asset::{SCRIPT, STYLESHEET, routes};
pub use explanation::{Explanation, Fragment, TEST_STEP};
pub use language::Language;
pub use on_the_way::{OnTheWay, on_the_way};
pub use refused::{RefusedPage, refused};
pub use setup::{
    ClosedPage, FieldKind, Findings, FoundEmail, FoundIdentity, KeptUpstream, Notice, Outcome,
    PickedUp, SetupField, SetupPage, SetupState, ShownProblem, VerdictPage, Whose, Why, setup,
    setup_begin, setup_begin_html, setup_closed, setup_verdict,
};
pub use sign_in::{Button, EmailError, SignInPage, sign_in};
pub use signed_out::{SignedOut, signed_out};
pub use strings::Strings;

/// What every page's frame needs.
#[derive(Clone, Debug)]
struct Frame {
    language: Language,
    title: String,
    /// Of the assets, for their addresses.
    version: String,
    /// A page for reading, not for one decision.
    wide: bool,
}

impl Frame {
    fn new(language: Language, title: String) -> Self {
        Self {
            language,
            title,
            version: format!("{:016x}", asset::VERSION),
            wide: false,
        }
    }
}

/// A page is for one person at one moment: no cache keeps it.
fn respond(status: StatusCode, html: String) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Html(html)).into_response()
}

/// Writing into a string cannot fail; should a template ever, the person gets an empty page and the log the cause.
fn render(template: &impl Template) -> String {
    template.render().unwrap_or_else(|error| {
        tracing::error!(%error, "a page could not be written");
        String::new()
    })
}

/// An address that may stand in a link: our own path, http(s), or an application's private-use scheme
/// (RFC 8252, 7.1: it has a dot in it). Never `javascript:`, `data:` and the like.
fn link(address: &str) -> Option<&str> {
    let own_path =
        address.starts_with('/') && !address.starts_with("//") && !address.contains('\\');
    let allowed = own_path
        || url::Url::parse(address).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https") || url.scheme().contains('.')
        });
    allowed.then_some(address)
}
