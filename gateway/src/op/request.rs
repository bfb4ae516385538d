//! From the parameters of an authorization request to an [`AuthorizeRequest`], or to a refusal and where it is told.

use fedgate_providers::error::Refusal;

use super::AuthorizeRequest;
use super::application::is_public;
use super::parameters::Parameters;
use super::redirect::{ReturnTo, is_usable};
use super::refusal::OpRefusal;
use crate::store::application::Application;

/// Longest `client_id`, in bytes.
pub(super) const CLIENT_ID_BYTES: usize = 256;
/// Longest `redirect_uri`, in bytes.
pub(super) const REDIRECT_URI_BYTES: usize = 2048;
/// Longest `state`, in bytes: applications carry a return path in it.
pub(super) const STATE_BYTES: usize = 2048;
/// Longest `nonce`, in bytes.
const NONCE_BYTES: usize = 512;
/// Longest `scope` and `acr_values`, in bytes.
pub(super) const SCOPE_BYTES: usize = 2048;
/// Longest of the short words: `prompt`, `ui_locales`, `connection_id`, `org_code` …, in bytes.
pub(super) const WORD_BYTES: usize = 256;
/// Longest `login_hint`, in bytes: the longest e-mail address (RFC 3696, erratum 1690) and room for other hints.
const LOGIN_HINT_BYTES: usize = 512;
/// The most `acr_values` that are read.
const MOST_ACR_VALUES: usize = 10;
/// Base64url length of a SHA-256 digest (RFC 7636 4.2).
const CHALLENGE_CHARS: usize = 43;

/// The scopes that mean something here; others are ignored (OpenID Connect Core 3.1.2.1).
pub(super) const KNOWN_SCOPES: [&str; 3] = ["openid", "profile", "email"];
/// The values of `prompt`; `create` is Kinde's and "Initiating User Registration 1.0".
pub(super) const PROMPTS: [&str; 5] = ["none", "login", "consent", "select_account", "create"];

/// Where a refused authorization request is answered.
#[derive(Debug)]
pub(super) enum Rejected {
    /// To the person: the client or its redirect URI is in doubt, so that nothing may be sent there (RFC 6749 4.1.2.1).
    Page(Refusal),
    /// To the application, at its validated redirect URI.
    Redirect(ReturnTo, Refusal),
}

/// The `client_id` of the request.
///
/// # Errors
/// Always for the page.
pub(super) fn client_id(parameters: &Parameters) -> Result<&str, Rejected> {
    parameters
        .required("client_id", CLIENT_ID_BYTES)
        .map_err(Rejected::Page)
}

/// Checks the request of a known application.
///
/// # Errors
/// For the page until the redirect URI is known to be the application's, for the application from then on.
pub(super) fn validate(
    application: &Application,
    parameters: &Parameters,
) -> Result<AuthorizeRequest, Rejected> {
    let redirect_uri = redirect_uri(application, parameters).map_err(Rejected::Page)?;
    let state = parameters.one("state", STATE_BYTES);
    let return_to = ReturnTo {
        redirect_uri: redirect_uri.to_owned(),
        state: state.as_ref().ok().copied().flatten().map(str::to_owned),
    };
    match state
        .and_then(|_| protocol(application, parameters))
        .and_then(|()| request(application, parameters, &return_to))
    {
        Ok(request) => Ok(request),
        Err(refusal) => Err(Rejected::Redirect(return_to, refusal)),
    }
}

/// Simple string comparison (RFC 9700 4.1.3). It is required even where one URI is registered (Core 3.1.2.1).
fn redirect_uri<'p>(
    application: &Application,
    parameters: &'p Parameters,
) -> Result<&'p str, Refusal> {
    let asked = parameters.required("redirect_uri", REDIRECT_URI_BYTES)?;
    let registered = application.redirect_uris.iter().any(|uri| uri == asked);
    if registered && is_usable(asked) {
        return Ok(asked);
    }
    Err(OpRefusal::RedirectUriMismatch
        .refuse()
        .expected(application.redirect_uris.join(" "))
        .found(asked))
}

/// What this provider does not offer, refused before the details.
fn protocol(application: &Application, parameters: &Parameters) -> Result<(), Refusal> {
    let unsupported = [
        ("request", OpRefusal::RequestObjectUnsupported),
        ("request_uri", OpRefusal::RequestUriUnsupported),
        ("registration", OpRefusal::RegistrationUnsupported),
    ];
    for (name, leaf) in unsupported {
        // However long or odd its value: its presence decides.
        if !matches!(parameters.one(name, usize::MAX), Ok(None)) {
            return Err(leaf.into());
        }
    }
    if !application
        .grant_types
        .iter()
        .any(|grant| grant == "authorization_code")
    {
        return Err(OpRefusal::GrantTypeNotAllowed
            .refuse()
            .expected("authorization_code"));
    }
    match parameters.required("response_type", WORD_BYTES)? {
        "code" => {}
        other => {
            return Err(OpRefusal::ResponseTypeUnsupported
                .refuse()
                .expected("code")
                .found(other));
        }
    }
    match parameters.one("response_mode", WORD_BYTES)? {
        None | Some("query") => Ok(()),
        Some(other) => Err(OpRefusal::ResponseModeUnsupported
            .refuse()
            .expected("query")
            .found(other)),
    }
}

fn request(
    application: &Application,
    parameters: &Parameters,
    to: &ReturnTo,
) -> Result<AuthorizeRequest, Refusal> {
    let word = |name| Ok::<_, Refusal>(parameters.one(name, WORD_BYTES)?.map(str::to_owned));
    let request = AuthorizeRequest {
        client_id: application.client_id.clone(),
        redirect_uri: to.redirect_uri.clone(),
        state: to.state.clone(),
        nonce: parameters.one("nonce", NONCE_BYTES)?.map(str::to_owned),
        scope: scope(parameters)?,
        code_challenge: code_challenge(application, parameters)?,
        max_age: max_age(parameters)?,
        acr_values: acr_values(parameters)?,
        ui_locales: word("ui_locales")?,
        login_hint: parameters
            .one("login_hint", LOGIN_HINT_BYTES)?
            .map(str::to_owned),
        connection_id: word("connection_id")?,
        org_code: word("org_code")?,
        // Last, so that `login_required` is told only of a request that is sound.
        prompt: prompt(parameters)?,
    };
    Ok(request)
}

/// Without `openid` the request is plain OAuth 2.0, whose access token would be good for nothing here.
fn scope(parameters: &Parameters) -> Result<Vec<String>, Refusal> {
    let asked = parameters.one("scope", SCOPE_BYTES)?.unwrap_or_default();
    let words: Vec<&str> = asked.split(' ').collect();
    if !words.contains(&"openid") {
        return Err(OpRefusal::OpenidScopeMissing
            .refuse()
            .expected("openid")
            .found(asked));
    }
    Ok(KNOWN_SCOPES
        .into_iter()
        .filter(|known| words.contains(known))
        .map(str::to_owned)
        .collect())
}

/// PKCE: S256 or nothing, and nothing only where a client secret binds the code instead (RFC 9700 2.1.1).
fn code_challenge(
    application: &Application,
    parameters: &Parameters,
) -> Result<Option<String>, Refusal> {
    let method = parameters.one("code_challenge_method", WORD_BYTES)?;
    // A wrong length is told as such, with the length that is right.
    let challenge = match parameters.one("code_challenge", WORD_BYTES)? {
        Some(challenge) => challenge,
        // A method alone means that the challenge was lost or taken away on its way.
        None if method.is_some() || is_public(application) => {
            return Err(OpRefusal::PkceRequired.into());
        }
        None => return Ok(None),
    };
    if method != Some("S256") {
        return Err(OpRefusal::PkceMethodUnsupported
            .refuse()
            .expected("S256")
            .found(method.unwrap_or("plain")));
    }
    let is_digest = challenge.len() == CHALLENGE_CHARS
        && challenge
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if !is_digest {
        let expected = format!("{CHALLENGE_CHARS} characters of base64url");
        return Err(OpRefusal::PkceChallengeMalformed
            .refuse()
            .expected(expected)
            .found(challenge.len()));
    }
    Ok(Some(challenge.to_owned()))
}

fn max_age(parameters: &Parameters) -> Result<Option<u64>, Refusal> {
    let Some(text) = parameters.one("max_age", WORD_BYTES)? else {
        return Ok(None);
    };
    // Digits alone: `u64::from_str` would take a sign too. 31 bits are 68 years, and overflow nowhere.
    let seconds = if text.bytes().all(|b| b.is_ascii_digit()) {
        text.parse::<u32>().ok()
    } else {
        None
    };
    match seconds.filter(|seconds| *seconds <= i32::MAX.cast_unsigned()) {
        Some(seconds) => Ok(Some(u64::from(seconds))),
        None => Err(OpRefusal::ParameterMalformed
            .refuse()
            .expected("max_age in whole seconds")
            .found(text)),
    }
}

fn acr_values(parameters: &Parameters) -> Result<Vec<String>, Refusal> {
    let asked = parameters
        .one("acr_values", SCOPE_BYTES)?
        .unwrap_or_default();
    let values: Vec<String> = asked
        .split(' ')
        .filter(|value| !value.is_empty())
        .map(str::to_owned)
        .collect();
    if values.len() > MOST_ACR_VALUES {
        let expected = format!("at most {MOST_ACR_VALUES} acr_values");
        return Err(OpRefusal::ParameterTooLong
            .refuse()
            .expected(expected)
            .found(values.len()));
    }
    Ok(values)
}

/// Known words, and `none` alone (Core 3.1.2.1). `none` itself is refused: there is no session here to answer from.
fn prompt(parameters: &Parameters) -> Result<Option<String>, Refusal> {
    let Some(prompt) = parameters.one("prompt", WORD_BYTES)? else {
        return Ok(None);
    };
    let mut words = prompt.split(' ').filter(|word| !word.is_empty());
    if let Some(unknown) = words.clone().find(|word| !PROMPTS.contains(word)) {
        return Err(OpRefusal::ParameterMalformed
            .refuse()
            .expected("a known prompt")
            .found(unknown));
    }
    if words.clone().any(|word| word == "none") {
        let alone = words.all(|word| word == "none");
        let malformed = || {
            OpRefusal::ParameterMalformed
                .refuse()
                .expected("prompt `none` alone")
                .found(prompt)
        };
        return Err(if alone {
            OpRefusal::LoginRequired.into()
        } else {
            malformed()
        });
    }
    Ok(Some(prompt.to_owned()))
}

#[cfg(test)]
mod tests;
