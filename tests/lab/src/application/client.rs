//! Authorization code with PKCE, state and nonce against the gateway.

use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use thiserror::Error;
use url::{Url, form_urlencoded};

use super::Application;
use super::id_token::{self, Expected, KeySet};
use crate::browser;
use crate::error::LabError;
use crate::oidc_op::{random_text, sha256_text};

/// What the application asks for.
const SCOPE: &str = "openid email profile";

/// How the application is registered.
#[derive(Clone, Debug)]
pub struct ApplicationOptions {
    /// Where it is, without a trailing slash.
    pub base_url: String,
    /// The gateway's issuer.
    pub gateway: String,
    /// Its client id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
}

impl ApplicationOptions {
    /// Its redirect URI.
    pub fn redirect_uri(&self) -> String {
        format!("{}/cb", self.base_url)
    }

    /// Where a sign-out comes back to.
    pub fn post_logout_redirect_uri(&self) -> String {
        format!("{}/?signed_out=yes", self.base_url)
    }
}

/// Why a callback did not sign anybody in.
#[derive(Debug, Error)]
pub enum SignInProblem {
    /// The gateway came back with an error.
    #[error("{description}")]
    Told {
        /// The OAuth error.
        error: String,
        /// What it says about it.
        description: String,
    },
    /// The callback is not of a sign-in that this browser began.
    #[error("This browser did not begin this sign-in: the state is not the one that was sent.")]
    State,
    /// The callback names another issuer (RFC 9207).
    #[error("The answer is of another issuer: {0}")]
    Issuer(String),
    /// The callback has no code.
    #[error("The answer has no code.")]
    CodeMissing,
    /// The ID token does not hold.
    #[error("The ID token does not hold: {0}.")]
    IdToken(&'static str),
    /// The gateway could not be asked.
    #[error("{0}")]
    Lab(#[from] LabError),
}

/// What a sign-in is begun with.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Hints {
    login_hint: Option<String>,
    connection_id: Option<String>,
    ui_locales: Option<String>,
    prompt: Option<String>,
    max_age: Option<String>,
    acr_values: Option<String>,
}

/// A sign-in that waits for its callback.
#[derive(Clone, Debug)]
pub(super) struct Begun {
    state: String,
    nonce: String,
    verifier: String,
}

/// RFC 6749 4.1.2, RFC 9207.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Callback {
    pub(super) code: Option<String>,
    pub(super) state: Option<String>,
    pub(super) iss: Option<String>,
    pub(super) error: Option<String>,
    pub(super) error_description: Option<String>,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
    end_session_endpoint: Url,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
}

/// A fresh sign-in, and where the browser goes for it.
pub(super) async fn begin(app: &Application, hints: &Hints) -> Result<(Begun, Url), LabError> {
    let begun = Begun {
        state: random_text(),
        nonce: random_text(),
        verifier: random_text(),
    };
    let mut address = discover(app).await?.authorization_endpoint;
    address.query_pairs_mut().extend_pairs([
        ("response_type", "code"),
        ("client_id", &app.options.client_id),
        ("redirect_uri", &app.options.redirect_uri()),
        ("scope", SCOPE),
        ("state", &begun.state),
        ("nonce", &begun.nonce),
        ("code_challenge", &sha256_text(&begun.verifier)?),
        ("code_challenge_method", "S256"),
    ]);
    let more = [
        ("login_hint", &hints.login_hint),
        ("connection_id", &hints.connection_id),
        ("ui_locales", &hints.ui_locales),
        ("prompt", &hints.prompt),
        ("max_age", &hints.max_age),
        ("acr_values", &hints.acr_values),
    ];
    let more = more
        .iter()
        .filter_map(|(name, value)| Some((*name, value.as_deref()?)));
    address.query_pairs_mut().extend_pairs(more);
    Ok((begun, address))
}

/// The ID token behind a callback, and its claims.
pub(super) async fn complete(
    app: &Application,
    begun: Option<Begun>,
    callback: &Callback,
) -> Result<(String, Map<String, Value>), SignInProblem> {
    let begun = begun
        .filter(|begun| callback.state.as_deref() == Some(&begun.state))
        .ok_or(SignInProblem::State)?;
    if callback.iss.as_deref() != Some(&app.options.gateway) {
        return Err(SignInProblem::Issuer(
            callback.iss.clone().unwrap_or_default(),
        ));
    }
    if let Some(error) = &callback.error {
        let description = callback.error_description.clone().unwrap_or_default();
        return Err(SignInProblem::Told {
            error: error.clone(),
            description,
        });
    }
    let code = callback.code.as_deref().ok_or(SignInProblem::CodeMissing)?;
    let discovery = discover(app).await?;
    let tokens = redeem(app, &discovery, code, &begun.verifier).await?;
    let keys: KeySet = read(app.http.get(discovery.jwks_uri)).await?;
    let expected = Expected {
        issuer: &app.options.gateway,
        client_id: &app.options.client_id,
        nonce: &begun.nonce,
        now: app.clock.now().as_second(),
    };
    let claims =
        id_token::verified(&tokens.id_token, &keys, &expected).map_err(SignInProblem::IdToken)?;
    Ok((tokens.id_token, claims))
}

/// Where a sign-out goes on to.
pub(super) async fn logout_url(app: &Application, id_token: &str) -> Result<Url, LabError> {
    let mut url = discover(app).await?.end_session_endpoint;
    url.query_pairs_mut().extend_pairs([
        ("id_token_hint", id_token),
        (
            "post_logout_redirect_uri",
            &app.options.post_logout_redirect_uri(),
        ),
    ]);
    Ok(url)
}

async fn discover(app: &Application) -> Result<Discovery, LabError> {
    let url = format!("{}/.well-known/openid-configuration", app.options.gateway);
    let discovery: Discovery = read(app.http.get(url)).await?;
    if discovery.issuer != app.options.gateway {
        return Err(LabError::unexpected(
            "the gateway calls itself by another issuer",
            discovery.issuer,
        ));
    }
    Ok(discovery)
}

async fn redeem(
    app: &Application,
    discovery: &Discovery,
    code: &str,
    verifier: &str,
) -> Result<Tokens, LabError> {
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &app.options.redirect_uri()),
            ("code_verifier", verifier),
            ("client_id", &app.options.client_id),
            ("client_secret", &app.options.client_secret),
        ])
        .finish();
    let request = app.http.post(discovery.token_endpoint.clone());
    read(
        request
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body),
    )
    .await
}

async fn read<T: DeserializeOwned>(request: reqwest::RequestBuilder) -> Result<T, LabError> {
    let response = request.send().await?;
    let status = response.status();
    let text = browser::text(response).await?;
    match serde_json::from_str(&text) {
        Ok(value) if status.is_success() => Ok(value),
        _ => Err(LabError::unexpected(
            "the gateway answered",
            format!("{status} {text}"),
        )),
    }
}
