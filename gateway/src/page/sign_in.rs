//! The sign-in page: an e-mail box, then a button per connection.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use super::phrase::Phrase;
use super::{Frame, Language, Strings, render, respond};

/// The sign-in page. Posts `request`, `email` and, from a button, `connection` to `action`.
#[derive(Clone, Debug)]
pub struct SignInPage<'a> {
    /// The application's name.
    pub application: &'a str,
    /// The sealed request; a hidden field.
    pub request: &'a str,
    /// Where the form goes: `/login/continue`.
    pub action: &'a str,
    /// What was typed, or the application's hint.
    pub email: &'a str,
    /// What is wrong with it.
    pub email_error: Option<EmailError>,
    /// Its stable code, shown small.
    pub code: Option<&'a str>,
    /// The reference under which its trace is kept, shown small.
    pub reference: Option<&'a str>,
    /// In the operator's order. Empty: single sign-on, only the e-mail box, with a line about what happens next.
    pub connections: &'a [Button<'a>],
    /// The person's language.
    pub language: Language,
}

/// A connection that anyone may choose.
#[derive(Clone, Copy, Debug)]
pub struct Button<'a> {
    /// `conn_…`, the value that is posted as `connection`.
    pub connection_id: &'a str,
    /// "Google"
    pub display_name: &'a str,
    /// Its strategy, which chooses the drawing; a strategy without one gets the name's first letter.
    pub strategy: &'a str,
}

/// Why the e-mail box is shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailError {
    /// Nothing was typed.
    Empty,
    /// What was typed is not an address.
    Malformed,
    /// No way leads on from this address. The page does not tell whether the address or its domain exists.
    NoWay,
}

impl EmailError {
    fn text(self, strings: &'static Strings) -> &'static str {
        match self {
            Self::Empty => strings.email_empty,
            Self::Malformed => strings.email_malformed,
            Self::NoWay => strings.email_no_way,
        }
    }
}

/// 200, or 422 with an error at the e-mail box.
pub fn sign_in(page: &SignInPage<'_>) -> Response {
    let status = if page.email_error.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    respond(status, page.html())
}

impl SignInPage<'_> {
    /// The page as HTML.
    pub fn html(&self) -> String {
        let strings = Strings::of(self.language);
        let heading = Phrase::new(strings.sign_in_to, self.application);
        let title = match self.email_error {
            Some(_) => format!("{} {}", strings.error_title, heading.plain()),
            None => heading.plain().to_string(),
        };
        render(&SignInTemplate {
            frame: Frame::new(self.language, title),
            heading,
            error: self.email_error.map(|error| error.text(strings)),
            page: self,
            strings,
        })
    }
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInTemplate<'a> {
    frame: Frame,
    strings: &'static Strings,
    heading: Phrase<'a>,
    error: Option<&'static str>,
    page: &'a SignInPage<'a>,
}

impl<'a> Button<'a> {
    fn label(&self, strings: &'static Strings) -> Phrase<'a> {
        Phrase::new(strings.continue_with, self.display_name)
    }

    fn icon(&self) -> Option<&'static str> {
        let (protocol, vendor) = self.strategy.split_once(':').unwrap_or_default();
        match vendor {
            "google" | "google_workspace" => Some("google"),
            "microsoft" | "azure_ad" => Some("microsoft"),
            "apple" => Some("apple"),
            "github" | "gitlab" | "bitbucket" => Some("branch"),
            "okta" | "cloudflare" | "lastpass" | "custom" if protocol != "oauth2" => {
                Some("organization")
            }
            _ => None,
        }
    }

    fn initial(&self) -> String {
        self.display_name
            .chars()
            .find(|c| c.is_alphanumeric())
            .into_iter()
            .flat_map(char::to_uppercase)
            .collect()
    }
}
