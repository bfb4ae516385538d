//! An OpenID Provider: honest, or told for one login how to lie.
//!
//! It serves any redirect URI of its one client: it is a lab. Its discovery lies under other issuers, so that a
//! connection can be pointed at one of them: `{base_url}/other-issuer`, `/no-endpoint`, `/not-json`, `/no-keys`.

mod authorize;
mod discovery;
mod jws;
mod lie;
mod token;
mod userinfo;

pub(crate) use jws::public_key;
pub use lie::Lie;

use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fedgate::app::{Clock, Randomness};
use openssl::error::ErrorStack;
use rand::Rng as _;

use crate::error::LabError;
use crate::grants::{Found, Grants};
use crate::key::{KeyKind, LabKey};
use crate::page;
use crate::person::Person;

/// How an OpenID Provider is set up.
#[derive(Clone, Debug)]
pub struct OidcOpOptions {
    /// Its issuer, without a trailing slash: `http://127.0.0.1:8082`.
    pub base_url: String,
    /// What its pages call it.
    pub name: String,
    /// Who can sign in.
    pub people: Vec<Person>,
    /// Its one client.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: String,
}

/// The OpenID Provider. Share it behind an [`Arc`].
#[derive(Debug)]
pub struct OidcOp {
    options: OidcOpOptions,
    clock: Arc<Clock>,
    key: RwLock<Arc<LabKey>>,
    /// A key that the published set does not have.
    other_key: LabKey,
    grants: Grants<Grant>,
}

/// What a person agreed to: found by its code once, by its access token ever after.
#[derive(Clone, Debug)]
struct Grant {
    code: Option<String>,
    access_token: String,
    redirect_uri: String,
    nonce: Option<String>,
    code_challenge: Option<String>,
    acr: Option<String>,
    person: Person,
    authenticated_at: i64,
    lie: Lie,
}

impl Found for Grant {
    fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    fn redeem(&mut self) {
        self.code = None;
    }

    fn access_token(&self) -> &str {
        &self.access_token
    }
}

impl OidcOp {
    /// Makes its keys.
    ///
    /// # Errors
    /// Those of OpenSSL.
    pub fn new(options: OidcOpOptions, clock: Arc<Clock>) -> Result<Self, LabError> {
        let key = || LabKey::generate(KeyKind::Rsa2048, &options.name, &clock);
        let (key, other_key) = (key()?, key()?);
        Ok(Self {
            options,
            clock,
            key: RwLock::new(Arc::new(key)),
            other_key,
            grants: Grants::default(),
        })
    }

    /// Rolls to a new key at once: key sets that were read before do not have it.
    ///
    /// # Errors
    /// Those of OpenSSL.
    pub fn roll(&self) -> Result<(), LabError> {
        let fresh = LabKey::generate(KeyKind::Rsa2048, &self.options.name, &self.clock)?;
        *self.key.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        Ok(())
    }

    /// The key that it signs with and publishes.
    fn key(&self) -> Arc<LabKey> {
        let key = self.key.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&key)
    }

    /// Its issuer.
    pub fn issuer(&self) -> &str {
        &self.options.base_url
    }

    /// How it is set up.
    pub fn options(&self) -> &OidcOpOptions {
        &self.options
    }

    /// Who can sign in.
    pub fn people(&self) -> &[Person] {
        &self.options.people
    }

    /// Discovery, keys, `/authorize`, `/token`, `/userinfo` and the look of its pages.
    pub fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route("/.well-known/openid-configuration", get(discovery::honest))
            .route(
                "/{issuer}/.well-known/openid-configuration",
                get(discovery::lying),
            )
            .route("/jwks", get(discovery::keys))
            .route("/{issuer}/jwks", get(discovery::other_keys))
            .route("/authorize", get(authorize::ask))
            .route("/login", post(authorize::login))
            .route("/token", post(token::redeem))
            .route("/userinfo", get(userinfo::tell).post(userinfo::tell))
            .merge(page::assets())
            .with_state(self)
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.options.base_url)
    }
}

/// 256 random bits in base64url.
pub(crate) fn random_text() -> String {
    let mut octets = [0; 32];
    Randomness.rng().fill_bytes(&mut octets);
    URL_SAFE_NO_PAD.encode(octets)
}

/// SHA-256 in base64url, as PKCE's S256 (RFC 7636 4.2).
pub(crate) fn sha256_text(text: &str) -> Result<String, ErrorStack> {
    let digest = openssl::hash::hash(openssl::hash::MessageDigest::sha256(), text.as_bytes())?;
    Ok(URL_SAFE_NO_PAD.encode(digest))
}

#[cfg(test)]
mod tests;
