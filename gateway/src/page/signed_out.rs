//! The page after signing out: of what, and of what not.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use super::phrase::Phrase;
use super::{Frame, Language, Strings, link, render, respond};

/// The page after signing out.
#[derive(Clone, Debug)]
pub struct SignedOut<'a> {
    /// The application that the person signed out of.
    pub application: Option<&'a str>,
    /// The way back to it, validated.
    pub application_url: Option<&'a str>,
    /// The display name of the connection that the login came through.
    pub connection_name: Option<&'a str>,
    /// Whether the identity provider confirmed that its own session ended too.
    pub ended_at_provider: bool,
    /// Why the browser was not sent on to where the application asked: `area.reason`.
    pub not_sent_on: Option<&'a str>,
    /// The person's language.
    pub language: Language,
}

/// 200.
pub fn signed_out(page: &SignedOut<'_>) -> Response {
    respond(StatusCode::OK, page.html())
}

impl SignedOut<'_> {
    /// The page as HTML.
    pub fn html(&self) -> String {
        let strings = Strings::of(self.language);
        render(&SignedOutTemplate {
            frame: Frame::new(self.language, strings.signed_out.to_owned()),
            back: self.application.zip(self.application_url.and_then(link)),
            page: self,
            strings,
        })
    }
}

#[derive(Template)]
#[template(path = "signed_out.html")]
struct SignedOutTemplate<'a> {
    frame: Frame,
    strings: &'static Strings,
    back: Option<(&'a str, &'a str)>,
    page: &'a SignedOut<'a>,
}

impl SignedOutTemplate<'_> {
    fn of_application(&self) -> Option<Phrase<'_>> {
        self.page
            .application
            .map(|name| Phrase::new(self.strings.signed_out_of, name))
    }

    fn of_provider(&self) -> Option<Phrase<'_>> {
        let ended = self
            .page
            .connection_name
            .filter(|_| self.page.ended_at_provider);
        ended.map(|name| Phrase::new(self.strings.signed_out_of_provider, name))
    }

    fn still_at(&self) -> Option<Phrase<'_>> {
        let open = self
            .page
            .connection_name
            .filter(|_| !self.page.ended_at_provider);
        open.map(|name| Phrase::new(self.strings.still_signed_in_at, name))
    }

    fn back_label<'a>(&self, name: &'a str) -> Phrase<'a> {
        Phrase::new(self.strings.back_to, name)
    }
}
