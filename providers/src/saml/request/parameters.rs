//! `upstream_params` of a SAML connection: parameters of the sign-in URL, and the request's Subject.

use crate::connection::UpstreamParam;
use crate::login::Login;

/// Names that the bindings own in the query: never taken from `upstream_params`, nor kept from an endpoint's URL.
pub const RESERVED_PARAMETERS: [&str; 6] = [
    "SAMLRequest",
    "SAMLResponse",
    "RelayState",
    "SigAlg",
    "Signature",
    "SAMLEncoding",
];

/// The upstream parameter that is written into the request as its Subject (SAML core 3.4.1), instead of into the URL.
pub const SUBJECT_PARAMETER: &str = "Subject";

/// The longest NameID (SAML core 8.3.7 names this limit), in characters.
const SUBJECT_CHARS: usize = 256;

/// The upstream parameters of one login, resolved: a constant, or a value of the login by its name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::saml) struct Parameters {
    /// Who is expected to sign in.
    pub(in crate::saml) subject: Option<String>,
    /// What the sign-in URL gets besides.
    pub(in crate::saml) query: Vec<(String, String)>,
}

impl Parameters {
    /// Resolves what a connection configures. What the login does not have is left out.
    pub(in crate::saml) fn resolved<'a>(
        configured: impl IntoIterator<Item = (&'a String, &'a UpstreamParam)>,
        login: &Login,
    ) -> Self {
        let mut parameters = Self::default();
        for (name, param) in configured {
            let value = match param {
                UpstreamParam::Value(value) => Some(value.clone()),
                UpstreamParam::Alias(alias) => of_login(login, alias),
            };
            let Some(value) = value else { continue };
            if name == SUBJECT_PARAMETER {
                parameters.subject = Some(value).filter(|value| is_name(value));
            } else if !is_reserved(name) {
                parameters.query.push((name.clone(), value));
            }
        }
        parameters
    }
}

/// Whether only a binding writes a parameter of that name; servers differ in whether case matters.
pub(super) fn is_reserved(name: &str) -> bool {
    RESERVED_PARAMETERS
        .iter()
        .any(|reserved| reserved.eq_ignore_ascii_case(name))
}

fn is_name(value: &str) -> bool {
    !value.is_empty()
        && value.chars().count() <= SUBJECT_CHARS
        && !value.chars().any(char::is_control)
}

fn of_login(login: &Login, alias: &str) -> Option<String> {
    match alias {
        "login_hint" => login.hint.clone(),
        "prompt" => login.prompt.clone(),
        "ui_locales" => login.ui_locales.clone(),
        "max_age" => login.max_age.map(|seconds| seconds.to_string()),
        "acr_values" => (!login.acr_values.is_empty()).then(|| login.acr_values.join(" ")),
        _ => None,
    }
}
