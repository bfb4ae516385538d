//! The parameters of an authorization request that a login, the connection and the spec add.

use std::collections::BTreeMap;

use super::habits::Habits;
use crate::connection::{UpstreamParam, is_reserved_parameter};
use crate::login::Login;

/// What a login can ask of an upstream.
const ASKED: [&str; 5] = [
    "login_hint",
    "prompt",
    "max_age",
    "acr_values",
    "ui_locales",
];

/// What the application asked, then what the connection adds where nothing was asked, then the spec's own.
pub(super) fn parameters(
    login: &Login,
    own: &BTreeMap<String, UpstreamParam>,
    habits: &Habits,
) -> BTreeMap<String, String> {
    let spec = &habits.spec().authorize;
    let forwarded = |name: &str| match &spec.forward {
        Some(names) => names.get(name).cloned(),
        None => Some(name.to_owned()),
    };
    let mut parameters: BTreeMap<String, String> = ASKED
        .iter()
        .filter_map(|&name| {
            let value = asked_value(login, name)?;
            Some((
                forwarded(name)?,
                known_words(name, value, spec.prompts.as_deref())?,
            ))
        })
        .collect();
    for (name, source) in own {
        let value = match source {
            UpstreamParam::Value(value) => Some(value.clone()),
            UpstreamParam::Alias(alias) => asked_value(login, alias),
        };
        let value = if name == "prompt" {
            value.and_then(|prompt| prompt_without(&prompt, &["none"]))
        } else {
            value
        };
        if let Some(value) = value.filter(|_| !is_reserved_parameter("oidc", name)) {
            parameters.entry(name.clone()).or_insert(value);
        }
    }
    for (name, template) in &spec.parameters {
        if let Some(value) = habits.fill(template) {
            parameters.entry(name.clone()).or_insert(value);
        }
    }
    if spec.form_post {
        parameters.insert("response_mode".to_owned(), "form_post".to_owned());
    }
    parameters
}

/// A prompt's words as far as the provider knows them; any other value as it is.
fn known_words(name: &str, value: String, prompts: Option<&[String]>) -> Option<String> {
    let Some(known) = prompts.filter(|_| name == "prompt") else {
        return Some(value);
    };
    let words: Vec<&str> = value
        .split(' ')
        .filter(|word| known.iter().any(|one| one == word))
        .collect();
    Some(words.join(" ")).filter(|words| !words.is_empty())
}

/// The login's own value of a parameter. Forced authentication also asks for `max_age=0`, for only then must the
/// provider prove when it happened (OpenID Connect Core 3.1.2.1, `auth_time` in section 2).
fn asked_value(login: &Login, name: &str) -> Option<String> {
    match name {
        "login_hint" => login.hint.clone(),
        "prompt" => login
            .prompt
            .as_deref()
            .and_then(|prompt| prompt_without(prompt, &["none", "create"])),
        "max_age" => login
            .max_age
            .or(login.force().then_some(0))
            .map(|seconds| seconds.to_string()),
        "acr_values" => Some(login.acr_values.join(" ")).filter(|values| !values.is_empty()),
        "ui_locales" => login.ui_locales.clone(),
        _ => None,
    }
}

/// A prompt without what is between the application and the gateway: whether a page may be shown (`none`), and whether
/// the person is new here (`create`), which most providers answer with an error.
fn prompt_without(prompt: &str, withheld: &[&str]) -> Option<String> {
    let words: Vec<&str> = prompt
        .split(' ')
        .filter(|word| !word.is_empty() && !withheld.contains(word))
        .collect();
    Some(words.join(" ")).filter(|prompt| !prompt.is_empty())
}
