//! The OpenID Provider that applications speak to.

pub mod application;
pub mod authorize;
pub mod client_keys;
pub mod discovery;
pub mod issue;
pub mod refusal;

mod assertion;
mod authenticate;
pub(crate) mod bearer;
pub(crate) mod body;
pub(crate) mod context;
mod failures;
pub(crate) mod parameters;
pub(crate) mod redirect;
mod request;
#[cfg(test)]
pub(crate) mod testing;
mod token;
mod userinfo;

use axum::Router;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};

use crate::app::Shared;
pub use refusal::OpRefusal;
pub(crate) use token::refused;

/// The authorization endpoint.
pub const AUTHORIZE_PATH: &str = "/oauth2/auth";
/// The token endpoint.
pub const TOKEN_PATH: &str = "/oauth2/token";
/// The userinfo endpoint.
pub const USERINFO_PATH: &str = "/oauth2/v2/user_profile";
/// OpenID Connect Discovery 1.0, 4.
pub const DISCOVERY_PATH: &str = "/.well-known/openid-configuration";
/// The JWK Set of the token keys.
pub const JWKS_PATH: &str = "/.well-known/jwks.json";
/// RP-Initiated Logout 1.0.
pub const LOGOUT_PATH: &str = "/logout";

/// The endpoints of the OpenID Provider, but for sign-out.
pub fn routes() -> Router<Shared> {
    Router::new()
        .route(AUTHORIZE_PATH, get(authorize::get).post(authorize::post))
        .route(TOKEN_PATH, post(token::post))
        .route(
            USERINFO_PATH,
            get(userinfo::userinfo).post(userinfo::userinfo),
        )
        .route(DISCOVERY_PATH, get(discovery::openid_configuration))
        .route(JWKS_PATH, get(discovery::jwks))
}

/// A validated authorization request: client, redirect URI and PKCE have been checked.
/// It travels sealed, in the sign-in page and in the pending login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizeRequest {
    /// The application.
    pub client_id: String,
    /// Registered for it, exactly.
    pub redirect_uri: String,
    /// Returned verbatim.
    pub state: Option<String>,
    /// Into the ID token.
    pub nonce: Option<String>,
    /// The known scopes that were asked.
    pub scope: Vec<String>,
    /// PKCE S256; required of public clients.
    pub code_challenge: Option<String>,
    /// `prompt`, verbatim.
    pub prompt: Option<String>,
    /// Seconds.
    pub max_age: Option<u64>,
    /// In order of preference.
    pub acr_values: Vec<String>,
    /// Verbatim.
    pub ui_locales: Option<String>,
    /// An e-mail address, or whatever the upstream understands.
    pub login_hint: Option<String>,
    /// Straight to this connection.
    pub connection_id: Option<String>,
    /// Sign in to this organization.
    pub org_code: Option<String>,
}

/// What remains of a grant once its code is redeemed: enough to end its login if the code comes again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SpentGrant {
    /// The application that the code was for.
    pub(crate) client_id: String,
    /// The login.
    pub(crate) sid: String,
}

/// What an authorization code stands for, until it is redeemed once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// The request that the code answers.
    pub request: AuthorizeRequest,
    /// What the tokens will say.
    pub claims: Claims,
    /// `iss` of the tokens: the site on which the person signed in.
    pub issuer: String,
}

/// Claims of the ID token and of userinfo, but for those that the token itself adds
/// (`iss`, `aud`, `iat`, `exp`, `nonce`, `at_hash`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claims {
    /// Our user.
    pub sub: String,
    /// This login.
    pub sid: String,
    /// Contact address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Present with an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// Given name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Family name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// Full name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Picture URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    /// The organization signed in to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org_code: Option<String>,
    /// Only if the upstream proved them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub amr: Vec<String>,
    /// Only if the upstream proved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// Seconds since the epoch; only if the upstream proved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// Where the person came from.
    pub ext_provider: ExtProvider,
}

/// The upstream, as applications see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExtProvider {
    /// The connection's display name.
    pub name: String,
    /// Its id.
    pub connection_id: String,
    /// Its strategy.
    pub strategy: String,
    /// The upstream's subject.
    pub subject: String,
    /// What the upstream said, with `groups`.
    pub claims: serde_json::Map<String, serde_json::Value>,
}
