//! Google, GitHub, Slack and the others, as far as a gateway sees them: each with its own ways, from the lab's own facts.
//!
//! One server plays them all. What a provider has at `https://HOST/PATH` is here at `{base_url}/HOST/PATH`.

mod api;
mod authorize;
mod claims;
mod facts;
mod token;

pub use api::{number, uuid};
pub use facts::{PERSONALITIES, Personality};

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, post};
use fedgate::app::Clock;

use crate::error::LabError;
use crate::grants::{Found, Grants};
use crate::key::{KeyKind, LabKey};
use crate::page;
use crate::person::Person;

/// The longest body that is read, in bytes.
const BODY_BYTES: usize = 64 * 1024;

crate::lies::lies! {
    /// How a provider misbehaves for one login.
    pub enum Lie {
        #[default] Honest = "No: tell the truth",
        Cancelled = "Cancelled by the person",
        UsedCode = "Code used before",
        WrongIssuer = "ID token of another issuer",
        WrongNonce = "Nonce of another login",
        OtherKey = "ID token signed with a key that is not published",
        KeyOfAnotherTenant = "ID token signed with the key of another tenant",
        OtherTenant = "Somebody of another organization",
        OtherPerson = "Profile of somebody else",
        NoSubject = "Does not say who",
        Forbidden = "Profile is not released",
        Overloaded = "Too many requests",
        Unverified = "Address not verified",
        NoEmail = "No address",
        OtherCallbackIssuer = "Another issuer in the callback",
    }
}

/// How the lab is set up.
#[derive(Clone, Debug)]
pub struct SocialOptions {
    /// Where it listens, without a trailing slash.
    pub base_url: String,
    /// Who can sign in, at each of them.
    pub people: Vec<Person>,
    /// The client that each knows.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: String,
    /// The organization whose people they are: a workspace, a hosted domain, a tenant.
    pub organization: String,
}

/// All of them.
#[derive(Debug)]
pub struct Social {
    options: SocialOptions,
    clock: Arc<Clock>,
    key: LabKey,
    elliptic: LabKey,
    other_key: LabKey,
    /// Signs client secrets: its public half is what the provider knows.
    client_key: LabKey,
    grants: Grants<Grant>,
}

/// What a person agreed to.
#[derive(Clone, Debug)]
struct Grant {
    personality: &'static Personality,
    code: Option<String>,
    access_token: String,
    redirect_uri: String,
    nonce: Option<String>,
    code_challenge: Option<String>,
    person: Person,
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

impl Social {
    /// Makes the keys.
    ///
    /// # Errors
    /// Those of OpenSSL.
    pub fn new(options: SocialOptions, clock: Arc<Clock>) -> Result<Self, LabError> {
        let key = |kind| LabKey::generate(kind, "social", &clock);
        Ok(Self {
            key: key(KeyKind::Rsa2048)?,
            elliptic: key(KeyKind::EcP256)?,
            other_key: key(KeyKind::Rsa2048)?,
            client_key: key(KeyKind::EcP256)?,
            options,
            clock,
            grants: Grants::default(),
        })
    }

    /// The private key that Apple's client secrets are signed with, as its .p8 file.
    ///
    /// # Errors
    /// Those of OpenSSL.
    pub fn client_key_pem(&self) -> Result<String, LabError> {
        let pem = self.client_key.private().private_key_to_pem_pkcs8()?;
        Ok(String::from_utf8_lossy(&pem).into_owned())
    }

    /// Everything of everybody.
    pub fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route("/login", post(authorize::login))
            .route("/{host}/{*path}", any(serve))
            .merge(page::assets())
            .with_state(self)
    }
}

async fn serve(
    State(lab): State<Arc<Social>>,
    Path((host, path)): Path<(String, String)>,
    request: Request,
) -> Response {
    let at = format!("{host}/{path}");
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let query = parts.uri.query().unwrap_or_default();
    for personality in PERSONALITIES {
        if at == personality.authorize && parts.method == Method::GET {
            return authorize::ask(&lab, personality, query);
        }
        if at == personality.token && parts.method == Method::POST {
            return token::redeem(&lab, personality, &parts.headers, &body);
        }
        if Some(at.as_str()) == personality.keys {
            return claims::published(&lab, host == "login.microsoftonline.com");
        }
    }
    if let Some(document) = claims::metadata(&at) {
        return document;
    }
    api::tell(&lab, &at, query, &parts.headers)
}
