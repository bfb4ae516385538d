//! The page of a login that was refused.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::phrase::Phrase;
use super::{Frame, Language, Strings, link, render, respond};

/// A refusal as the person reads it: one sentence, ways on, and what an administrator needs. Holds no evidence.
#[derive(Clone, Debug)]
pub struct RefusedPage<'a> {
    /// The catalogue's English sentence; shown in the person's language where its table has it.
    pub says: &'a str,
    /// The stable code.
    pub code: &'a str,
    /// `FG-…`
    pub reference: &'a str,
    /// The status of the response.
    pub status: StatusCode,
    /// The application's name.
    pub application: Option<&'a str>,
    /// The way back to it, validated; shown with its name.
    pub application_url: Option<&'a str>,
    /// Where a new attempt begins.
    pub start_again: Option<&'a str>,
    /// The person's language.
    pub language: Language,
}

/// The refusal with its own status.
pub fn refused(page: &RefusedPage<'_>) -> Response {
    respond(page.status, page.html())
}

impl RefusedPage<'_> {
    /// The page as HTML.
    pub fn html(&self) -> String {
        let strings = Strings::of(self.language);
        let heading = match self.application {
            Some(name) => Phrase::new(strings.could_not_sign_in_to, name)
                .plain()
                .to_string(),
            None => strings.could_not_sign_in.to_owned(),
        };
        let translated = strings.sentence(self.says);
        render(&RefusedTemplate {
            frame: Frame::new(self.language, heading),
            says: translated.unwrap_or(self.says),
            in_english: translated.is_none() && self.language != Language::English,
            back: self.application.zip(self.application_url.and_then(link)),
            start_again: self.start_again.and_then(link),
            mail: self.mail(strings, translated.unwrap_or(self.says)),
            page: self,
            strings,
        })
    }

    /// A mail to nobody yet: the person chooses the administrator.
    fn mail(&self, strings: &'static Strings, says: &str) -> String {
        let opening = match self.application {
            Some(name) => Phrase::new(strings.mail_opening_application, name)
                .plain()
                .to_string(),
            None => strings.mail_opening.to_owned(),
        };
        let body = format!(
            "{opening}\r\n{says}\r\n\r\n{}: {}\r\n{}: {}\r\n\r\n{}\r\n",
            strings.code,
            self.code,
            strings.reference,
            self.reference,
            Phrase::new(strings.mail_closing, self.reference).plain(),
        );
        let subject = Phrase::new(strings.mail_subject, self.reference)
            .plain()
            .to_string();
        format!(
            "mailto:?subject={}&body={}",
            encoded(&subject),
            encoded(&body)
        )
    }
}

/// RFC 6068, 5: line breaks are `%0D%0A`, a space is `%20`.
fn encoded(text: &str) -> impl std::fmt::Display {
    utf8_percent_encode(text, NON_ALPHANUMERIC)
}

#[derive(Template)]
#[template(path = "refused.html")]
struct RefusedTemplate<'a> {
    frame: Frame,
    strings: &'static Strings,
    says: &'a str,
    in_english: bool,
    back: Option<(&'a str, &'a str)>,
    start_again: Option<&'a str>,
    mail: String,
    page: &'a RefusedPage<'a>,
}

impl RefusedTemplate<'_> {
    fn heading(&self) -> Option<Phrase<'_>> {
        self.page
            .application
            .map(|name| Phrase::new(self.strings.could_not_sign_in_to, name))
    }

    fn back_label<'a>(&self, name: &'a str) -> Phrase<'a> {
        Phrase::new(self.strings.back_to, name)
    }
}
