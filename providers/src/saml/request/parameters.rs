//! `upstream_params` of a SAML connection: parameters of the sign-in URL, and the request's Subject.

use crate::connection::{UpstreamParam, is_reserved_parameter};
use crate::login::Login;

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
            } else if !is_reserved_parameter("saml", name) {
                parameters.query.push((name.clone(), value));
            }
        }
        parameters
    }
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
