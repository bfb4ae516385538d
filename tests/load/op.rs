//! An OpenID Provider that answers at once: discovery, keys, and an ID token for whatever code it gets.
//!
//! The code says who signed in and repeats the nonce, so that nothing has to be kept between the requests.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fedgate::app::Clock;
use fedgate_lab::key::{KeyKind, LabKey};
use openssl::hash::MessageDigest;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Outcome;

/// What the gateway is at this provider: client id and secret.
pub(crate) const CLIENT: (&str, &str) = ("gateway", "a-secret-of-the-load-command");
/// How long an ID token is valid, in seconds.
const LIFETIME: i64 = 300;

/// The provider.
#[derive(Debug)]
pub(crate) struct Op {
    /// `http://127.0.0.1:PORT`
    pub(crate) issuer: String,
    key: LabKey,
    clock: Clock,
}

impl Op {
    /// Listens on a free port until the program ends.
    pub(crate) async fn start() -> Outcome<Arc<Self>> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let clock = Clock::default();
        let op = Arc::new(Self {
            issuer: format!("http://{}", listener.local_addr()?),
            key: LabKey::generate(KeyKind::Rsa2048, "load", &clock)?,
            clock,
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/jwks", get(keys))
            .route("/token", post(token))
            .with_state(op.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(op)
    }

    /// The code of somebody's sign-in.
    pub(crate) fn code(subject: &str, nonce: &str) -> String {
        format!("{subject}.{nonce}")
    }

    fn id_token(&self, subject: &str, nonce: &str) -> Outcome<String> {
        let now = self.clock.now().as_second();
        let header = json!({"alg": "RS256", "kid": self.key.id(), "typ": "JWT"});
        let claims = json!({
            "iss": self.issuer, "aud": CLIENT.0, "sub": subject, "nonce": nonce,
            "iat": now, "exp": now + LIFETIME, "auth_time": now,
            "email": format!("{subject}@globex.test"), "email_verified": true,
            "given_name": "Grace", "family_name": "Lindqvist", "name": "Grace Lindqvist",
            "groups": ["research", "admins", "everybody"],
        });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = self.key.sign(MessageDigest::sha256(), signed.as_bytes())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[derive(Debug, Deserialize)]
struct TokenRequest {
    code: String,
}

async fn discovery(State(op): State<Arc<Op>>) -> Json<Value> {
    let at = |path: &str| format!("{}{path}", op.issuer);
    Json(json!({
        "issuer": op.issuer,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "jwks_uri": at("/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
    }))
}

async fn keys(State(op): State<Arc<Op>>) -> Result<Json<Value>, String> {
    let rsa = op.key.private().rsa().map_err(|error| error.to_string())?;
    let number = |value: &openssl::bn::BigNumRef| URL_SAFE_NO_PAD.encode(value.to_vec());
    Ok(Json(json!({"keys": [{
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": op.key.id(), "n": number(rsa.n()), "e": number(rsa.e()),
    }]})))
}

async fn token(
    State(op): State<Arc<Op>>,
    Form(request): Form<TokenRequest>,
) -> Result<Json<Value>, String> {
    let (subject, nonce) = request.code.split_once('.').ok_or("no such code")?;
    let id_token = op
        .id_token(subject, nonce)
        .map_err(|error| error.to_string())?;
    Ok(Json(json!({
        "access_token": "of-no-use", "token_type": "Bearer", "expires_in": LIFETIME, "id_token": id_token,
    })))
}
