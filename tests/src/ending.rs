//! How a login ended, as the person and the application see it, and what is kept of it.

use fedgate_providers::login::Verdict;

use crate::browser::Page;
use crate::gateway::{Gateway, REDIRECT_URI};

/// Where a login ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// At the application, with a code.
    SignedIn {
        /// The authorization code.
        code: String,
    },
    /// At the application, with an error.
    Told {
        /// The OAuth error.
        error: String,
        /// The stable code that its description begins with.
        code: String,
    },
    /// On a page of the gateway.
    Refused(Refused),
    /// Elsewhere.
    Elsewhere(String),
}

/// A page that says why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The stable code.
    pub code: String,
    /// What an administrator finds the trace by.
    pub reference: String,
    /// "Start again".
    pub again: Option<String>,
    /// Back to the application.
    pub back: Option<String>,
}

impl Ending {
    /// At the application, with that OAuth error for that code.
    pub fn told(error: &str, code: &str) -> Self {
        Self::Told {
            error: error.to_owned(),
            code: code.to_owned(),
        }
    }

    /// Reads the page where a login ended.
    pub fn of(page: &Page) -> Self {
        let at_application = page
            .location()
            .filter(|location| location.as_str().starts_with(REDIRECT_URI));
        if let Some(location) = at_application {
            let value = |name: &str| {
                let mut pairs = location.query_pairs();
                pairs
                    .find(|(key, _)| key == name)
                    .map(|(_, value)| value.into_owned())
            };
            assert!(value("iss").is_some(), "no iss in {location}");
            return match (value("code"), value("error")) {
                (Some(code), None) => Self::SignedIn { code },
                (_, error) => Self::Told {
                    error: error.unwrap_or_default(),
                    code: stable(&value("error_description").unwrap_or_default()),
                },
            };
        }
        let element = |css: &str| page.text(css);
        let found = element(".evidence div:nth-of-type(1) code")
            .zip(element(".evidence div:nth-of-type(2) code"))
            .or(element(".trail code:nth-of-type(1)").zip(element(".trail code:nth-of-type(2)")));
        match found {
            Some((code, reference)) => Self::Refused(Refused {
                code,
                reference,
                again: page.attribute("a.button.primary", "href"),
                back: page.attribute("a.button:not(.primary):not(.quiet)", "href"),
            }),
            None => Self::Elsewhere(format!("{} {}", page.status, page.url)),
        }
    }

    /// The refusal, or a panic that says what came instead.
    pub fn refused(self) -> Refused {
        match self {
            Self::Refused(refused) => refused,
            other => panic!("not refused: {other:?}"),
        }
    }

    /// The authorization code, or a panic that says what came instead.
    pub fn code(self) -> String {
        match self {
            Self::SignedIn { code } => code,
            other => panic!("not signed in: {other:?}"),
        }
    }
}

/// Whether a login ended on a page with this code and ways on, and its trace tells the same, step by step.
///
/// # Errors
/// What is amiss.
pub async fn check_refusal(gateway: &Gateway, page: &Page, code: &str) -> Result<Refused, String> {
    let refused = match Ending::of(page) {
        Ending::Refused(refused) if refused.code == code => refused,
        other => return Err(format!("{code}: {other:?}")),
    };
    if page.status.is_success() || page.status.is_redirection() {
        return Err(format!("{code}: {}", page.status));
    }
    let again = refused.again.as_deref().unwrap_or_default();
    if !again.starts_with(&format!("{}/login/again?request=", gateway.base)) {
        return Err(format!("{code}: start again leads to {again:?}"));
    }
    let back = refused.back.as_deref().unwrap_or_default();
    if !back.starts_with(REDIRECT_URI) || !back.contains(code) {
        return Err(format!("{code}: back leads to {back:?}"));
    }
    check_trace(gateway, &refused).await?;
    Ok(refused)
}

/// Whether the trace behind a reference ends in a failed step with the code that the page showed.
///
/// # Errors
/// What is amiss.
pub async fn check_trace(gateway: &Gateway, refused: &Refused) -> Result<(), String> {
    let code = &refused.code;
    let Some(trace) = gateway.trace(&refused.reference).await else {
        return Err(format!("{code}: no trace behind {}", refused.reference));
    };
    let last = trace.steps.last().ok_or(format!("{code}: no steps"))?;
    let failures = trace
        .steps
        .iter()
        .filter(|step| step.verdict == Verdict::Failed);
    if trace.code.as_deref() != Some(code)
        || last.code.as_deref() != Some(code)
        || failures.count() != 1
    {
        return Err(format!("{code}: {trace:#?}"));
    }
    let compared = code.ends_with("_mismatch") && !code.ends_with("at_hash_mismatch");
    if compared
        && code != "saml.digest_mismatch"
        && (last.expected.is_none() || last.found.is_none())
    {
        return Err(format!("{code}: not what was expected and found: {last:?}"));
    }
    if trace.user_id.is_some() {
        return Err(format!("{code}: names the user {:?}", trace.user_id));
    }
    Ok(())
}

fn stable(description: &str) -> String {
    let code = description.split(':').next().unwrap_or_default();
    code.trim().to_owned()
}
