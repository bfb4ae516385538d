//! Behind a setup link: a button, or why there is nothing to set up.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use super::super::strings::setup::SetupStrings;
use super::super::{Frame, Language, Strings, render, respond};

/// What a setup link shows before it is burnt. `action` is where the button posts to.
pub fn setup_begin(action: &str, language: Language) -> Response {
    respond(StatusCode::OK, begin_html(action, language))
}

/// The same as HTML.
pub fn begin_html(action: &str, language: Language) -> String {
    let strings = SetupStrings::of(language);
    render(&BeginTemplate {
        frame: Frame::new(language, strings.begin_heading.to_owned()),
        strings,
        action,
    })
}

/// Why there is nothing to set up here. The same whether a connection exists or not.
#[derive(Clone, Debug)]
pub struct ClosedPage {
    /// The catalogue's sentence.
    pub says: &'static str,
    /// What to do.
    pub fix: &'static str,
    /// The stable code.
    pub code: &'static str,
    /// Of the answer.
    pub status: StatusCode,
    /// The person's language.
    pub language: Language,
}

/// A page with the status that it names.
pub fn setup_closed(page: &ClosedPage) -> Response {
    respond(page.status, page.html())
}

impl ClosedPage {
    /// The page as HTML.
    pub fn html(&self) -> String {
        let (strings, common) = (SetupStrings::of(self.language), Strings::of(self.language));
        let translated = common.sentence(self.says);
        render(&ClosedTemplate {
            frame: Frame::new(self.language, strings.closed_heading.to_owned()),
            says: translated.unwrap_or(self.says),
            in_english: translated.is_none() && self.language != Language::English,
            strings,
            common,
            page: self,
        })
    }
}

#[derive(Template)]
#[template(path = "setup_begin.html")]
struct BeginTemplate<'a> {
    frame: Frame,
    strings: &'static SetupStrings,
    action: &'a str,
}

#[derive(Template)]
#[template(path = "setup_closed.html")]
struct ClosedTemplate<'a> {
    frame: Frame,
    strings: &'static SetupStrings,
    common: &'static Strings,
    says: &'static str,
    in_english: bool,
    page: &'a ClosedPage,
}
