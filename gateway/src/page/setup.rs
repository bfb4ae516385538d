//! The setup page: values to copy, one thing to bring back, a test, and the step to active.

mod begin;
mod verdict;

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use fedgate_providers::connection::Problem;
use fedgate_providers::spec::Spec;

use super::difference::visible;
use super::phrase::Phrase;
use super::strings::setup::SetupStrings;
use super::{Frame, Language, Strings, render, respond};

pub use begin::{ClosedPage, begin_html as setup_begin_html, setup_begin, setup_closed};
pub use verdict::{
    Findings, FoundEmail, FoundIdentity, Outcome, VerdictPage, Whose, Why, verdict as setup_verdict,
};

/// The setup page. Its forms post to `/setup/{connection_id}` and below it.
#[derive(Clone, Debug)]
pub struct SetupPage<'a> {
    /// `conn_…`
    pub connection_id: &'a str,
    /// "Acme"
    pub display_name: &'a str,
    /// The words of the console.
    pub spec: &'a Spec,
    /// How far it is.
    pub state: SetupState,
    /// What to copy, at most three, as the console names it.
    pub values: Vec<(String, String)>,
    /// What few consoles ask for.
    pub more_values: Vec<(String, String)>,
    /// What to bring back.
    pub fields: Vec<SetupField>,
    /// Other ways to bring it back.
    pub other_fields: Vec<SetupField>,
    /// What is kept of the identity provider.
    pub kept: Option<KeptUpstream>,
    /// Ties the forms to the session.
    pub token: String,
    /// Problems of no field.
    pub problems: Vec<ShownProblem>,
    /// What was just done.
    pub notice: Option<Notice>,
    /// Whether the last test passed; none without one.
    pub last_test: Option<bool>,
    /// The person's language.
    pub language: Language,
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetupState {
    /// A draft that lacks something.
    Incomplete,
    /// A draft that no test passed for.
    Untested,
    /// A draft that was changed since a test.
    Stale,
    /// A draft whose test passed as it is.
    Tested,
    /// In use.
    Active,
    /// Switched off.
    Disabled,
}

impl SetupState {
    pub(super) fn text(self, strings: &'static SetupStrings) -> &'static str {
        match self {
            Self::Incomplete => strings.incomplete,
            Self::Untested => strings.untested,
            Self::Stale => strings.stale,
            Self::Tested => strings.tested,
            Self::Active => strings.active,
            Self::Disabled => strings.disabled,
        }
    }

    /// A word for the stylesheet.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Tested | Self::Active => "good",
            Self::Disabled => "bad",
            Self::Incomplete | Self::Untested | Self::Stale => "open",
        }
    }

    /// A drawing beside the colour and the word.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Tested | Self::Active => "✓",
            Self::Disabled => "✕",
            Self::Incomplete | Self::Untested | Self::Stale => "…",
        }
    }

    pub(super) fn is_draft(self) -> bool {
        !matches!(self, Self::Active | Self::Disabled)
    }
}

/// What was just done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Settings were saved.
    Saved,
    /// The connection went active.
    Activated,
}

/// What is kept of the identity provider.
#[derive(Clone, Debug)]
pub struct KeptUpstream {
    /// Its entity ID.
    pub entity_id: String,
    /// How many keys it signs with.
    pub keys: usize,
    /// When its metadata was read, RFC 3339.
    pub read_at: String,
    /// The certificate of ours that it encrypted for last: what it has picked up.
    pub picked_up: Option<PickedUp>,
}

/// A certificate of ours that an identity provider has picked up.
#[derive(Clone, Debug)]
pub struct PickedUp {
    /// SHA-256 of the certificate, as its console shows it.
    pub fingerprint: String,
    /// Whether it is the one that our metadata shows now.
    pub is_current: bool,
    /// When an assertion that was encrypted for it came last, RFC 3339.
    pub seen_at: String,
}

/// A field that is brought back.
#[derive(Clone, Debug)]
pub struct SetupField {
    /// The field's name, and its id.
    pub name: &'static str,
    /// As the console names it; none: in the person's language.
    pub label: Option<String>,
    /// What stands in it.
    pub value: String,
    /// How it is filled in.
    pub kind: FieldKind,
    /// What is wrong with it.
    pub problem: Option<ShownProblem>,
}

/// How a field is filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// One line.
    Line,
    /// One line that is never shown again; whether one is kept.
    Secret(bool),
    /// A file.
    File,
    /// Many lines.
    Text,
}

/// A problem with all that helps to solve it, in the catalogue's English.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownProblem {
    /// The stable code.
    pub code: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What would have been accepted.
    pub expected: Option<String>,
    /// What came.
    pub found: Option<String>,
    /// Anything else.
    pub detail: Option<String>,
    /// What to change, in the console's words.
    pub fix: String,
}

impl ShownProblem {
    /// A problem in the words of a console.
    pub fn new(problem: &Problem, spec: &Spec) -> Self {
        let (entry, evidence) = (problem.refusal.entry(), problem.refusal.evidence());
        let shown = |text: Option<String>| text.as_deref().map(visible);
        Self {
            code: entry.code,
            meaning: entry.meaning,
            expected: shown(evidence.expected),
            found: shown(evidence.found),
            detail: shown(evidence.detail),
            fix: spec.fix(entry),
        }
    }
}

/// 200, or 422 with problems.
pub fn setup(page: &SetupPage<'_>) -> Response {
    let status = if page.has_problem() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    respond(status, page.html())
}

impl SetupPage<'_> {
    /// The page as HTML.
    pub fn html(&self) -> String {
        let strings = SetupStrings::of(self.language);
        let heading = Phrase::new(strings.heading, self.display_name);
        let title = if self.has_problem() {
            format!(
                "{} {}",
                Strings::of(self.language).error_title,
                heading.plain()
            )
        } else {
            heading.plain().to_string()
        };
        render(&SetupTemplate {
            frame: Frame::new(self.language, title),
            heading,
            copy_heading: Phrase::new(strings.copy_heading, &self.spec.console.product),
            bring_heading: Phrase::new(strings.bring_heading, &self.spec.console.product),
            common: Strings::of(self.language),
            strings,
            page: self,
        })
    }

    fn has_problem(&self) -> bool {
        let fields = self.fields.iter().chain(&self.other_fields);
        !self.problems.is_empty() || fields.into_iter().any(|field| field.problem.is_some())
    }
}

#[derive(Template)]
#[template(path = "setup.html")]
struct SetupTemplate<'a> {
    frame: Frame,
    strings: &'static SetupStrings,
    common: &'static Strings,
    heading: Phrase<'a>,
    copy_heading: Phrase<'a>,
    bring_heading: Phrase<'a>,
    page: &'a SetupPage<'a>,
}

impl SetupTemplate<'_> {
    fn notice(&self) -> Option<&'static str> {
        self.page.notice.map(|notice| match notice {
            Notice::Saved => self.strings.saved,
            Notice::Activated => self.strings.activated,
        })
    }

    fn own_label(&self, field: &SetupField) -> &'static str {
        match field.name {
            "metadata_file" => self.strings.metadata_file,
            "metadata_xml" => self.strings.metadata_xml,
            _ => self.strings.metadata_url,
        }
    }

    /// The other ways are open where one of them is wrong.
    fn others_open(&self) -> bool {
        let mut others = self.page.other_fields.iter();
        others.any(|field| field.problem.is_some() || !field.value.is_empty())
    }
}
