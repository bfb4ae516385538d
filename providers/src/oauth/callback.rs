//! The authorization response: what the browser brings back (RFC 6749 section 4.1.2, RFC 9207).

use std::collections::BTreeMap;

use fedgate_certs::error::CertError;
use fedgate_certs::json;
use oauth2::AuthorizationCode;
use serde_json::Value;

use super::OauthRefusal;
use crate::error::Refusal;
use crate::login::Callback;
use crate::oidc::issuer;
use crate::spec::oauth::Meaning;

/// The longest query string that is read, in bytes.
const QUERY_BYTES: usize = 16 * 1024;
/// The most parameters that are read.
const PARAMETERS_MOST: usize = 64;
/// The longest authorization code, in bytes.
const CODE_BYTES: usize = 4096;
/// The longest JSON in a parameter, in bytes.
const JSON_BYTES: usize = 4096;
/// Parameters that carry tokens or a whole response past the token endpoint (RFC 9700 section 2.1.2).
const TOKEN_BEARING: [&str; 5] = [
    "access_token",
    "id_token",
    "refresh_token",
    "token",
    "response",
];
/// Parameters that decide, and so occur once (RFC 6749 section 3.1).
const DECIDING: [&str; 4] = ["code", "state", "iss", "error"];

/// What a callback is compared with.
pub(super) struct Expected<'a> {
    /// The `state` that was sent.
    pub(super) state: &'a str,
    /// The issuer that the browser was sent to; `None` where nothing says what it calls itself.
    pub(super) issuer: Option<&'a str>,
    /// Whether its metadata says that every response names it.
    pub(super) issuer_announced: bool,
    /// What the provider's own error codes mean.
    pub(super) errors: &'a BTreeMap<String, Meaning>,
}

/// The JSON object in a parameter of the callback; nothing where there is none that can be read.
pub(super) fn json_member(callback: &Callback, name: &str) -> Option<Value> {
    let parameters = Parameters::read(callback).ok()?;
    let text = parameters
        .one(name)
        .filter(|text| text.len() <= JSON_BYTES)?;
    json::object(text.as_bytes(), CertError::NotAToken)
        .ok()
        .map(Value::Object)
}

/// Takes the code out of a callback. Parameters that nobody asked for are ignored, unless they carry tokens.
///
/// # Errors
/// `oauth.callback_*`, `oauth.state_mismatch`, and for an error response the leaf that its code means.
pub(super) fn code(
    callback: &Callback,
    expected: &Expected<'_>,
) -> Result<AuthorizationCode, Refusal> {
    let parameters = Parameters::read(callback)?;
    if parameters.one("state") != Some(expected.state) {
        return Err(OauthRefusal::StateMismatch.into());
    }
    check_issuer(&parameters, expected)?;
    if let Some(error) = parameters.one("error") {
        let description = parameters.one("error_description").unwrap_or_default();
        return Err(error_response(error, description, expected.errors));
    }
    match parameters.one("code") {
        None | Some("") => Err(OauthRefusal::CallbackEmpty.into()),
        Some(code) if code.len() > CODE_BYTES => {
            Err(too_much(format!("a code of at most {CODE_BYTES} bytes")))
        }
        Some(code) => Ok(AuthorizationCode::new(code.to_owned())),
    }
}

/// The leaf that an error code means, in front (RFC 6749 4.1.2.1, OpenID Connect Core 3.1.2.6) or at the token
/// endpoint (RFC 6749 5.2).
pub(super) fn error_response(
    error: &str,
    description: &str,
    own: &BTreeMap<String, Meaning>,
) -> Refusal {
    let leaf = own
        .get(error)
        .or_else(|| own.get(description))
        .map_or_else(|| standard(error), |meaning| leaf_of(*meaning));
    leaf.refuse()
        .found(printable(error))
        .detail(printable(description))
}

fn leaf_of(meaning: Meaning) -> OauthRefusal {
    match meaning {
        Meaning::AccessDenied => OauthRefusal::AccessDenied,
        Meaning::InteractionRequired => OauthRefusal::InteractionRequired,
        Meaning::Unavailable => OauthRefusal::UpstreamUnavailable,
        Meaning::ClientRejected => OauthRefusal::ClientRejected,
        Meaning::CodeRejected => OauthRefusal::CodeRejected,
    }
}

fn standard(error: &str) -> OauthRefusal {
    match error {
        "access_denied" => OauthRefusal::AccessDenied,
        "interaction_required"
        | "login_required"
        | "consent_required"
        | "account_selection_required" => OauthRefusal::InteractionRequired,
        "temporarily_unavailable" | "server_error" => OauthRefusal::UpstreamUnavailable,
        "invalid_client" | "unauthorized_client" => OauthRefusal::ClientRejected,
        "invalid_grant" => OauthRefusal::CodeRejected,
        _ => OauthRefusal::UpstreamError,
    }
}

/// An issuer that is named must be ours, also beside an error; one that is promised must be named beside a code.
fn check_issuer(parameters: &Parameters, expected: &Expected<'_>) -> Result<(), Refusal> {
    let Some(own) = expected.issuer else {
        return Ok(());
    };
    match parameters.one("iss") {
        Some(named) if !issuer::fits(own, named) => Err(OauthRefusal::CallbackIssuerMismatch
            .refuse()
            .expected(own)
            .found(named)),
        None if expected.issuer_announced
            && parameters
                .one("code")
                .is_some_and(|_| parameters.one("error").is_none()) =>
        {
            Err(OauthRefusal::CallbackIssuerMissing.refuse().expected(own))
        }
        _ => Ok(()),
    }
}

/// Text of an upstream without control characters, for one line of a trace.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

fn too_much(most: String) -> Refusal {
    OauthRefusal::CallbackMalformed.refuse().expected(most)
}

struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn read(callback: &Callback) -> Result<Self, Refusal> {
        let parameters = Self(match callback {
            Callback::Query(query) if query.len() > QUERY_BYTES => {
                return Err(too_much(format!("at most {QUERY_BYTES} bytes")));
            }
            Callback::Query(query) => url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .take(PARAMETERS_MOST + 1)
                .collect(),
            Callback::Form(fields) => fields.clone(),
        });
        if parameters.0.len() > PARAMETERS_MOST {
            return Err(too_much(format!("at most {PARAMETERS_MOST} parameters")));
        }
        if let Some(name) = TOKEN_BEARING
            .into_iter()
            .find(|name| parameters.count(name) > 0)
        {
            return Err(OauthRefusal::CallbackTokens
                .refuse()
                .expected("code")
                .found(name));
        }
        if let Some(name) = DECIDING.into_iter().find(|name| parameters.count(name) > 1) {
            return Err(OauthRefusal::CallbackDuplicate
                .refuse()
                .expected("each parameter once")
                .found(name));
        }
        Ok(parameters)
    }

    fn count(&self, name: &str) -> usize {
        self.0.iter().filter(|(other, _)| other == name).count()
    }

    fn one(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPECTED: Expected<'_> = Expected {
        state: "s",
        issuer: Some("https://op.example"),
        issuer_announced: true,
        errors: &BTreeMap::new(),
    };

    fn refused(query: &str) -> Refusal {
        code(&Callback::Query(query.into()), &EXPECTED).unwrap_err()
    }

    #[test]
    fn a_code_is_taken_from_a_query_and_from_a_form_among_unasked_parameters() {
        let query = "code=a%2Bb&state=s&iss=https%3A%2F%2Fop.example&session_state=1&scope=openid&hd=x&authuser=0";
        assert_eq!(
            code(&Callback::Query(query.into()), &EXPECTED)
                .unwrap()
                .secret(),
            "a+b"
        );
        let fields = [("code", "c"), ("state", "s"), ("iss", "https://op.example")]
            .map(|(n, v)| (n.into(), v.into()));
        assert_eq!(
            code(&Callback::Form(fields.into()), &EXPECTED)
                .unwrap()
                .secret(),
            "c"
        );
    }

    #[test]
    fn a_deciding_parameter_occurs_once() {
        for query in [
            "code=a&code=b&state=s",
            "code=a&state=s&state=s",
            "code=a&state=s&iss=a&iss=b",
            "code=a&%63ode=b&state=s",
        ] {
            assert_eq!(refused(query), OauthRefusal::CallbackDuplicate, "{query}");
        }
    }

    #[test]
    fn the_state_is_the_one_that_was_sent() {
        for query in [
            "code=a",
            "code=a&state=t",
            "code=a&state=",
            "code=a&State=s",
        ] {
            assert_eq!(refused(query), OauthRefusal::StateMismatch, "{query}");
        }
    }

    #[test]
    fn the_issuer_is_the_one_that_the_browser_was_sent_to() {
        assert_eq!(
            refused("code=a&state=s&iss=https://evil.example"),
            OauthRefusal::CallbackIssuerMismatch
        );
        assert_eq!(
            refused("code=a&state=s&iss=https://op.example/"),
            OauthRefusal::CallbackIssuerMismatch
        );
        assert_eq!(
            refused("error=access_denied&state=s&iss=https://evil.example"),
            OauthRefusal::CallbackIssuerMismatch
        );
        assert_eq!(
            refused("code=a&state=s"),
            OauthRefusal::CallbackIssuerMissing
        );
        let silent = Expected {
            issuer_announced: false,
            ..EXPECTED
        };
        assert!(code(&Callback::Query("code=a&state=s".into()), &silent).is_ok());
    }

    #[test]
    fn tokens_in_the_front_channel_are_refused() {
        for name in TOKEN_BEARING {
            assert_eq!(
                refused(&format!("code=a&state=s&{name}=x")),
                OauthRefusal::CallbackTokens,
                "{name}"
            );
        }
    }

    #[test]
    fn an_error_is_told_by_its_meaning_even_beside_a_code() {
        for (error, leaf) in [
            ("access_denied", OauthRefusal::AccessDenied),
            ("login_required", OauthRefusal::InteractionRequired),
            ("interaction_required", OauthRefusal::InteractionRequired),
            ("consent_required", OauthRefusal::InteractionRequired),
            (
                "account_selection_required",
                OauthRefusal::InteractionRequired,
            ),
            ("server_error", OauthRefusal::UpstreamUnavailable),
            ("temporarily_unavailable", OauthRefusal::UpstreamUnavailable),
            ("unauthorized_client", OauthRefusal::ClientRejected),
            ("invalid_scope", OauthRefusal::UpstreamError),
            ("", OauthRefusal::UpstreamError),
        ] {
            assert_eq!(
                refused(&format!("error={error}&state=s&code=x")),
                leaf,
                "{error}"
            );
        }
        let refusal = refused("error=access_denied&error_description=not%0Aassigned&state=s");
        assert_eq!(refusal.evidence().detail.as_deref(), Some("not assigned"));
    }

    #[test]
    fn neither_code_nor_error_is_empty_and_too_much_is_malformed() {
        let iss = "state=s&iss=https://op.example";
        assert_eq!(refused(iss), OauthRefusal::CallbackEmpty);
        assert_eq!(
            refused(&format!("code=&{iss}")),
            OauthRefusal::CallbackEmpty
        );
        assert_eq!(
            refused(&format!("code={}&{iss}", "x".repeat(CODE_BYTES + 1))),
            OauthRefusal::CallbackMalformed
        );
        assert_eq!(refused(&"&a=b".repeat(65)), OauthRefusal::CallbackMalformed);
        assert_eq!(
            refused(&"x".repeat(QUERY_BYTES + 1)),
            OauthRefusal::CallbackMalformed
        );
    }

    proptest::proptest! {
        #[test]
        fn any_query_ends_in_a_code_or_a_refusal(query in ".{0,200}") {
            let _ = code(&Callback::Query(query), &EXPECTED);
        }
    }
}
