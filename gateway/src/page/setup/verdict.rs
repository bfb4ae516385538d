//! The verdict of a test login: each step, who it was, and what would have come of it.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use fedgate_providers::error::Catalogued;
use fedgate_providers::spec::Spec;
use serde::{Deserialize, Serialize};

use super::super::difference::visible;
use super::super::explanation::{Explanation, Fragment};
use super::super::phrase::Phrase;
use super::super::strings::setup::SetupStrings;
use super::super::{Frame, Language, render, respond};
use super::SetupState;
use crate::events::trace::Trace;

/// What a test login found out, as it is kept for the session that asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// The story.
    pub trace: Trace,
    /// Who it was, if that was proved.
    pub identity: Option<FoundIdentity>,
    /// What would have come of it, unless it was refused.
    pub outcome: Option<Outcome>,
}

/// An identity that was proved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundIdentity {
    /// Of the key.
    pub subject: String,
    /// Of the key.
    pub issuer: String,
    /// The address.
    pub email: Option<FoundEmail>,
    /// As sent.
    pub given_name: Option<String>,
    /// As sent.
    pub family_name: Option<String>,
    /// As sent, or composed of the two.
    pub name: Option<String>,
    /// As sent.
    pub groups: Vec<String>,
    /// Everything else that was sent.
    pub attributes: Vec<(String, Vec<String>)>,
}

/// An address, and whether applications may rely on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundEmail {
    /// As sent.
    pub address: String,
    /// Why it counts as verified, or why not.
    pub why: Why,
}

/// Why an address counts as verified, or why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It does not: the upstream says so itself.
    Disowned,
    /// It does: the upstream is the authority.
    Authority,
    /// It does: the connection is trusted and the domain its own.
    Trusted,
    /// It does not: the connection is not trusted.
    Untrusted,
    /// It does not: the domain is not the connection's.
    Foreign,
}

impl Why {
    fn counts(self) -> bool {
        matches!(self, Self::Authority | Self::Trusted)
    }

    fn text(self, strings: &'static SetupStrings) -> &'static str {
        match self {
            Self::Disowned => strings.why_disowned,
            Self::Authority => strings.why_authority,
            Self::Trusted => strings.why_trusted,
            Self::Untrusted => strings.why_untrusted,
            Self::Foreign => strings.why_foreign,
        }
    }
}

/// What a sign-in would have come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Whose sign-in.
    pub whose: Whose,
    /// The organization signed in to.
    pub organization: Option<String>,
    /// The person would become a member of it.
    pub joins: bool,
}

/// Whose sign-in it would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// A new user's.
    New,
    /// This user's, known by the identity.
    Known(String),
    /// This user's, entered beforehand.
    Waiting(String),
}

/// The page with a verdict.
#[derive(Clone, Debug)]
pub struct VerdictPage<'a> {
    /// `conn_…`
    pub connection_id: &'a str,
    /// "Acme"
    pub display_name: &'a str,
    /// The words of the console.
    pub spec: &'a Spec,
    /// How far the connection is.
    pub state: SetupState,
    /// What was found; none if no verdict is kept for this session.
    pub findings: Option<&'a Findings>,
    /// The catalogue's entry of its code.
    pub entry: Option<&'static Catalogued>,
    /// Ties the forms to the session.
    pub token: String,
    /// The person's language.
    pub language: Language,
}

/// 200.
pub fn verdict(page: &VerdictPage<'_>) -> Response {
    respond(StatusCode::OK, page.html())
}

impl VerdictPage<'_> {
    /// The page as HTML.
    pub fn html(&self) -> String {
        let strings = SetupStrings::of(self.language);
        let heading = match self.findings {
            Some(findings) if findings.trace.code.is_none() => strings.verdict_passed,
            Some(_) => strings.verdict_failed,
            None => strings.heading,
        };
        let heading = Phrase::new(heading, self.display_name);
        let fragment = self.findings.map(|findings| {
            let explanation = Explanation {
                trace: &findings.trace,
                entry: self.entry,
                spec: Some(self.spec),
            };
            explanation.fragment()
        });
        let mut frame = Frame::new(self.language, heading.plain().to_string());
        frame.wide = true;
        render(&VerdictTemplate {
            frame,
            heading,
            fragment,
            identity: self.findings.and_then(|found| found.identity.as_ref()),
            outcome: self.findings.and_then(|found| found.outcome.as_ref()),
            strings,
            page: self,
        })
    }
}

#[derive(Template)]
#[template(path = "setup_verdict.html")]
struct VerdictTemplate<'a> {
    frame: Frame,
    strings: &'static SetupStrings,
    heading: Phrase<'a>,
    fragment: Option<Fragment<'a>>,
    identity: Option<&'a FoundIdentity>,
    outcome: Option<&'a Outcome>,
    page: &'a VerdictPage<'a>,
}

impl<'a> VerdictTemplate<'a> {
    /// What the identity provider sent, by the normalized names; the address has a line of its own.
    fn facts(&self, of: &FoundIdentity) -> Vec<(&'static str, Option<String>)> {
        let strings = self.strings;
        let groups = (!of.groups.is_empty()).then(|| of.groups.join(", "));
        [
            (strings.subject, Some(of.subject.clone())),
            (strings.issuer, Some(of.issuer.clone())),
            (strings.given_name, of.given_name.clone()),
            (strings.family_name, of.family_name.clone()),
            (strings.full_name, of.name.clone()),
            (strings.groups, groups),
        ]
        .map(|(label, value)| (label, value.as_deref().map(visible)))
        .into()
    }

    fn shown(name: &str) -> String {
        visible(name)
    }

    fn attribute(values: &[String]) -> String {
        visible(&values.join(", "))
    }

    fn whose(&self, outcome: &'a Outcome) -> Phrase<'a> {
        match &outcome.whose {
            Whose::New => Phrase::new(self.strings.new_user, ""),
            Whose::Known(id) => Phrase::new(self.strings.known_user, id),
            Whose::Waiting(id) => Phrase::new(self.strings.waiting_user, id),
        }
    }
}
