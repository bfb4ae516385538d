//! The page that posts itself to the identity provider.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use super::phrase::Phrase;
use super::{Frame, Language, Strings, render, respond};

/// The page on the way: posts itself, and has a button for when scripts are off.
#[derive(Clone, Debug)]
pub struct OnTheWay<'a> {
    /// The identity provider's address; from validated configuration, http(s).
    pub action: &'a str,
    /// Hidden fields.
    pub fields: &'a [(String, String)],
    /// "Acme"
    pub connection_name: &'a str,
    /// The person's language.
    pub language: Language,
}

/// 200.
pub fn on_the_way(page: &OnTheWay<'_>) -> Response {
    respond(StatusCode::OK, page.html())
}

impl OnTheWay<'_> {
    /// The page as HTML.
    pub fn html(&self) -> String {
        let strings = Strings::of(self.language);
        let heading = Phrase::new(strings.taking_you_to, self.connection_name);
        render(&OnTheWayTemplate {
            frame: Frame::new(self.language, heading.plain().to_string()),
            heading,
            page: self,
            strings,
        })
    }
}

#[derive(Template)]
#[template(path = "on_the_way.html")]
struct OnTheWayTemplate<'a> {
    frame: Frame,
    strings: &'static Strings,
    heading: Phrase<'a>,
    page: &'a OnTheWay<'a>,
}
