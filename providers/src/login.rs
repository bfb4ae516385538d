//! One attempt to sign in: what goes into `begin`, what comes out, what is kept, what comes back.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fedgate_certs::Timestamp;
use fedgate_certs::hex;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::error::{Evidence, Refusal};

/// The public face of this gateway for one login: it travels with the request and is never a constant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Scheme, host and port, without a trailing slash: `https://login.example.com`.
    pub base_url: String,
    /// What downstream tokens name as `iss`. Equal to `base_url` unless configured otherwise.
    pub issuer: String,
}

impl Site {
    /// An absolute URL below the base. `path` begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    /// Whether people reach this site over TLS.
    pub fn is_https(&self) -> bool {
        self.base_url.starts_with("https://")
    }
}

/// 128 random bits that name one login. OAuth `state`, SAML `RelayState` and the AuthnRequest ID are
/// all written from it, so that a login whose RelayState was lost is found by InResponseTo.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Handle([u8; 16]);

impl Handle {
    /// A fresh handle.
    pub fn random(rng: &mut dyn CryptoRng) -> Self {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// The raw bits.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// OAuth `state` and SAML `RelayState`: base64url, 22 characters.
    pub fn to_state(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Reads what [`Handle::to_state`] wrote; anything else is `None`.
    pub fn from_state(state: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(state).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// AuthnRequest ID: an NCName, `_` and 32 hex digits (SAML core 1.3.4 asks for at least 128 bits).
    pub fn to_request_id(self) -> String {
        hex::with_prefix("_", &self.0)
    }

    /// Reads what [`Handle::to_request_id`] wrote; anything else is `None`.
    pub fn from_request_id(id: &str) -> Option<Self> {
        let hex = id
            .strip_prefix('_')
            .filter(|hex| hex.len() == 32 && hex.is_ascii())?;
        if hex.bytes().any(|b| !matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle({})", self.to_state())
    }
}

/// What one login asks of the upstream.
#[derive(Clone, Debug)]
pub struct Login {
    /// The host that the browser is on.
    pub site: Site,
    /// Names this attempt.
    pub handle: Handle,
    /// `login_hint`, from the application or as typed on the sign-in page.
    pub hint: Option<String>,
    /// `prompt`, verbatim; `login` forces authentication.
    pub prompt: Option<String>,
    /// `max_age` in seconds.
    pub max_age: Option<u64>,
    /// `acr_values`, in order of preference.
    pub acr_values: Vec<String>,
    /// `ui_locales`, verbatim.
    pub ui_locales: Option<String>,
}

impl Login {
    /// Whether the upstream must authenticate the person anew.
    pub fn force(&self) -> bool {
        self.max_age == Some(0)
            || self
                .prompt
                .as_deref()
                .is_some_and(|p| p.split(' ').any(|word| word == "login"))
    }
}

/// What `begin` answers.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Where the browser goes.
    pub redirect: Redirect,
    /// What `complete` will need, to be sealed into this browser.
    pub pending: Pending,
}

/// How the browser is sent to the upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redirect {
    /// 303 with this location.
    Get(Url),
    /// A page with a form that posts itself.
    Post {
        /// The form's action.
        action: Url,
        /// Its hidden fields.
        fields: Vec<(String, String)>,
    },
}

/// What `begin` keeps for `complete`, by strategy. Sealed by the gateway; the variant must match the provider's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pending {
    /// A SAML AuthnRequest.
    Saml(SamlPending),
    /// An OAuth 2.0 or OpenID Connect authorization request.
    Oauth(OauthPending),
}

/// What a SAML response is compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SamlPending {
    /// The AssertionConsumerServiceURL that was sent: Destination and Recipient must equal it.
    pub acs: String,
    /// The Issuer that was sent: Audience must equal it.
    pub sp_entity_id: String,
    /// When the request was made, seconds since the epoch.
    pub issued_at: i64,
    /// ForceAuthn was asked.
    pub force: bool,
    /// The oldest authentication that the application accepts, in seconds.
    pub max_age: Option<u64>,
    /// RequestedAuthnContext that was sent.
    pub acr_values: Vec<String>,
}

/// What an OAuth callback is compared with and redeemed by.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OauthPending {
    /// The redirect URI that was sent.
    pub redirect_uri: String,
    /// The nonce that was sent, where the provider echoes one.
    pub nonce: Option<String>,
    /// The PKCE code verifier (RFC 7636).
    pub code_verifier: Option<String>,
    /// When the request was made, seconds since the epoch.
    pub issued_at: i64,
    /// Re-authentication was asked.
    pub force: bool,
    /// The oldest authentication that the application accepts, in seconds.
    pub max_age: Option<u64>,
    /// `acr_values` that were sent.
    pub acr_values: Vec<String>,
}

impl fmt::Debug for OauthPending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OauthPending")
            .field("redirect_uri", &self.redirect_uri)
            .finish_non_exhaustive()
    }
}

/// What the browser brought back, unparsed where signatures cover the octets.
#[derive(Clone, Debug)]
pub enum Callback {
    /// The raw query string, without `?`.
    Query(String),
    /// Decoded form fields, in order, duplicates kept.
    Form(Vec<(String, String)>),
}

/// One step of a login's story, as an administrator reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Stable name: `saml.signature`, `oidc.token`, `people.sign_in` …
    pub name: String,
    /// How it went.
    pub verdict: Verdict,
    /// What was checked, in one line; with the value that passed where that helps.
    pub note: Option<String>,
    /// The code of the refusal, on a failed step.
    pub code: Option<String>,
    /// What was expected, on a failed step.
    pub expected: Option<String>,
    /// What was found, on a failed step.
    pub found: Option<String>,
    /// When, in milliseconds since the epoch.
    pub at: i64,
}

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It held.
    Passed,
    /// It ended the login.
    Failed,
}

/// The steps of a login so far. At most [`Steps::MOST`] are kept; the failing one always is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Steps(Vec<Step>);

impl Steps {
    /// The most steps that one login keeps.
    pub const MOST: usize = 40;

    /// How many a good login has, about.
    const USUAL: usize = 16;

    /// Records a step that held.
    pub fn pass(&mut self, name: &str, note: impl Into<Option<String>>, at: Timestamp) {
        if self.0.is_empty() {
            self.0.reserve(Self::USUAL);
        }
        if self.0.len() < Self::MOST {
            self.0.push(Step {
                name: name.to_owned(),
                verdict: Verdict::Passed,
                note: note.into(),
                code: None,
                expected: None,
                found: None,
                at: at.as_millisecond(),
            });
        }
    }

    /// Records the step that ended the login.
    pub fn fail(&mut self, name: &str, refusal: &Refusal, at: Timestamp) {
        let Evidence {
            expected,
            found,
            detail,
        } = refusal.evidence();
        self.0.truncate(Self::MOST - 1);
        self.0.push(Step {
            name: name.to_owned(),
            verdict: Verdict::Failed,
            note: detail,
            code: Some(refusal.code().to_owned()),
            expected,
            found,
            at: at.as_millisecond(),
        });
    }

    /// All steps, first to last.
    pub fn as_slice(&self) -> &[Step] {
        &self.0
    }

    /// Whether the last step recorded is a failure.
    pub fn has_failed(&self) -> bool {
        self.0
            .last()
            .is_some_and(|step| step.verdict == Verdict::Failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::StdRng};

    #[test]
    fn a_handle_survives_state_and_request_id() {
        let handle = Handle::random(&mut StdRng::seed_from_u64(1));
        assert_eq!(Handle::from_state(&handle.to_state()), Some(handle));
        assert_eq!(
            Handle::from_request_id(&handle.to_request_id()),
            Some(handle)
        );
    }

    #[test]
    fn a_handle_is_not_read_from_anything_else() {
        for bad in [
            "",
            "_",
            "abc",
            "_0123",
            "_g0000000000000000000000000000000",
            "_ABCDEF00000000000000000000000000",
        ] {
            assert_eq!(Handle::from_request_id(bad), None, "{bad}");
        }
        assert_eq!(Handle::from_state("AAAA"), None);
    }
}
