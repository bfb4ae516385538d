//! The explanation of one login for an administrator, as a page, as a fragment and as plain text.
//!
//! English only, like the catalogue and the consoles' words that it quotes.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use fedgate_providers::error::{Blame, Catalogued};
use fedgate_providers::login::{Step, Verdict};
use fedgate_providers::spec::Spec;
use jiff::Timestamp;

use super::difference::{Difference, visible};
use super::{Frame, Language, render, respond, text};
use crate::events::trace::Trace;

/// The first step of a test login: nothing comes of such a one.
pub const TEST_STEP: &str = "setup.test";

/// All that an explanation is written from.
#[derive(Clone, Copy, Debug)]
pub struct Explanation<'a> {
    /// The stored story.
    pub trace: &'a Trace,
    /// The catalogue's entry of the trace's code; none for a login that succeeded.
    pub entry: Option<&'static Catalogued>,
    /// The words of the identity provider's console.
    pub spec: Option<&'a Spec>,
}

impl<'a> Explanation<'a> {
    /// A whole page: 200.
    pub fn page(&self) -> Response {
        respond(StatusCode::OK, self.html())
    }

    /// The whole page as HTML.
    pub fn html(&self) -> String {
        let mut frame = Frame::new(Language::English, self.heading().to_owned());
        frame.wide = true;
        render(&PageTemplate {
            frame,
            fragment: self.fragment(),
            explanation: *self,
        })
    }

    /// The explanation as one `section`, for a page that has the stylesheet of [`STYLESHEET`](super::STYLESHEET).
    pub fn fragment(&self) -> Fragment<'a> {
        Fragment {
            steps: self
                .trace
                .steps
                .iter()
                .map(|step| Shown::new(step, self.trace))
                .collect(),
            explanation: *self,
        }
    }

    /// The same as plain text in lines of up to 100 characters, for a terminal: no control character survives.
    pub fn text(&self) -> String {
        text::explanation(self)
    }

    pub(super) fn client_id(&self) -> Option<String> {
        self.trace.client_id.as_deref().map(visible)
    }

    /// The refusal's code; none for a login that succeeded.
    pub(super) fn code(&self) -> Option<String> {
        self.trace.code.as_deref().map(visible)
    }

    /// Whether a step carries the refusal; a login that is refused before its first step has none.
    fn has_failed_step(&self) -> bool {
        self.trace
            .steps
            .iter()
            .any(|step| step.verdict == Verdict::Failed)
    }

    /// What a login that was not refused came to.
    pub(super) fn passed(&self) -> &'static str {
        let first = self.trace.steps.first();
        if first.is_some_and(|step| step.name == TEST_STEP) {
            "Would have been signed in"
        } else {
            "Signed in"
        }
    }

    /// What the refusal means.
    pub(super) fn meaning(&self) -> &'static str {
        self.entry
            .map_or("This build does not list this code.", |entry| entry.meaning)
    }

    pub(super) fn heading(&self) -> &'static str {
        if self.trace.code.is_some() {
            "Why this sign‑in was refused"
        } else {
            "How this sign‑in went"
        }
    }

    pub(super) fn when(&self) -> String {
        Timestamp::from_millisecond(self.trace.at)
            .map_or_else(|_| String::new(), |at| format!("{at:.3}"))
    }

    pub(super) fn connection(&self) -> Option<String> {
        let trace = self.trace;
        let parts = [
            &trace.connection_name,
            &trace.strategy,
            &trace.connection_id,
        ]
        .map(Option::as_deref);
        let shown: Vec<String> = parts.into_iter().flatten().map(visible).collect();
        (!shown.is_empty()).then(|| shown.join(" · "))
    }

    /// Who must act, by name where it is known.
    pub(super) fn who(&self) -> String {
        let provider = match (&self.trace.connection_name, self.spec) {
            (Some(name), Some(spec)) => {
                format!("{}’s identity provider ({})", visible(name), spec.label)
            }
            (Some(name), None) => format!("{}’s identity provider", visible(name)),
            (None, _) => "the identity provider".to_owned(),
        };
        match self.entry.map(|entry| entry.blame) {
            None => String::new(),
            Some(Blame::Upstream) => format!("The administrator of {provider}."),
            Some(Blame::Browser) => "The person who signs in, in this browser.".to_owned(),
            Some(Blame::Operator) => {
                "The operator of this gateway, or whoever keeps this connection’s settings."
                    .to_owned()
            }
            Some(Blame::Application) => {
                "The developer of the application that sent the person here.".to_owned()
            }
            Some(Blame::Gateway) => {
                "The operator of this gateway: the fault is on this side.".to_owned()
            }
        }
    }

    /// Where the change is made: the console's path, or which of our settings.
    pub(super) fn place(&self) -> String {
        let trace = self.trace;
        match (self.entry.map(|entry| entry.blame), self.spec) {
            (Some(Blame::Upstream), Some(spec)) => {
                let field = self.entry.and_then(|entry| spec.field(entry));
                let path = field.map_or(spec.console.path.as_str(), |field| field.path);
                format!("{}: {path}", capitalized(&spec.console.product))
            }
            (Some(Blame::Upstream), None) => {
                "The application’s settings in the identity provider’s console.".to_owned()
            }
            (Some(Blame::Operator), _) => match &trace.connection_id {
                Some(id) => format!(
                    "The settings of connection {} in this gateway.",
                    visible(id)
                ),
                None => "The settings of this gateway.".to_owned(),
            },
            (Some(Blame::Application), _) => match &trace.client_id {
                Some(id) => format!(
                    "The application {}, or its registration in this gateway.",
                    visible(id)
                ),
                None => "The application, or its registration in this gateway.".to_owned(),
            },
            (Some(Blame::Gateway), _) => format!(
                "This gateway’s log, by the reference {}.",
                visible(&trace.reference)
            ),
            (Some(Blame::Browser), _) => "The sign-in page: the person starts again.".to_owned(),
            (None, _) => String::new(),
        }
    }

    /// The fix in the console's words; a word that the console lacks gets its common name.
    pub(super) fn fix(&self) -> String {
        let Some(entry) = self.entry else {
            return String::new();
        };
        let named = match self.spec {
            // The path stands beside it, under "Where".
            Some(spec) if entry.blame == Blame::Upstream => spec.in_console_words(
                &spec
                    .fix_of(entry)
                    .replace("{console}", &spec.console.product),
            ),
            Some(spec) => spec.fix(entry),
            None => entry.fix.to_owned(),
        };
        COMMON_WORDS
            .iter()
            .fold(named, |text, (word, common)| text.replace(word, common))
    }
}

/// What the placeholders of a fix are called where no console's word is known.
const COMMON_WORDS: [(&str, &str); 14] = [
    ("{audience}", "“Audience (SP entity ID)”"),
    ("{acs}", "“Assertion consumer service URL”"),
    ("{name_id}", "“NameID format”"),
    ("{certificate}", "“Signing certificate”"),
    ("{signing}", "“Signature”"),
    ("{encryption}", "“Assertion encryption”"),
    ("{clock}", "“System clock”"),
    ("{assignment}", "“Assignments”"),
    ("{attributes}", "“Attributes”"),
    ("{metadata}", "“Metadata”"),
    ("{client_id}", "“Client ID”"),
    ("{client_secret}", "“Client secret”"),
    ("{redirect_uri}", "“Redirect URI”"),
    ("{console}", "the identity provider’s console"),
];

/// A product's name at the beginning of a sentence.
fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .chain(characters)
        .collect()
}

/// A step as it is shown: every control in it visible.
pub(super) struct Shown {
    pub(super) failed: bool,
    pub(super) name: String,
    pub(super) elapsed: String,
    pub(super) note: Option<String>,
    pub(super) expected: Option<String>,
    pub(super) found: Option<String>,
    pub(super) compared: Option<Difference>,
}

impl Shown {
    pub(super) fn new(step: &Step, trace: &Trace) -> Self {
        let (expected, found) = (step.expected.as_deref(), step.found.as_deref());
        let first = trace.steps.first().map_or(step.at, |first| first.at);
        Self {
            failed: step.verdict == Verdict::Failed,
            name: visible(&step.name),
            elapsed: elapsed(step.at.saturating_sub(first)),
            note: step.note.as_deref().map(visible),
            expected: expected.map(visible),
            found: found.map(visible),
            compared: expected
                .zip(found)
                .map(|(expected, found)| Difference::between(expected, found)),
        }
    }
}

/// Time since the first step: milliseconds, then tenths of a second, then minutes.
fn elapsed(milliseconds: i64) -> String {
    match milliseconds {
        ..1_000 => format!("+{} ms", milliseconds.max(0)),
        1_000..60_000 => format!("+{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100),
        _ => format!("+{} min", milliseconds / 60_000),
    }
}

#[derive(Template)]
#[template(path = "explanation.html")]
struct PageTemplate<'a> {
    frame: Frame,
    fragment: Fragment<'a>,
    explanation: Explanation<'a>,
}

/// The explanation without a page around it; `Display` writes its HTML.
#[derive(Template)]
#[template(path = "explanation_fragment.html")]
pub struct Fragment<'a> {
    steps: Vec<Shown>,
    explanation: Explanation<'a>,
}

/// Written by its own template, which escapes what is put into it.
impl askama::filters::HtmlSafe for Fragment<'_> {}
