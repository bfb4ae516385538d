//! Downstream applications.

use fedgate_certs::key::SigningAlgorithm;
use fedgate_providers::connection::ConnectionId;

/// A downstream OAuth client.
#[derive(Clone, Debug, PartialEq)]
pub struct Application {
    /// `client_id`
    pub client_id: String,
    /// What people read; `client_id` where nothing else is configured.
    pub name: String,
    /// Keyed hash of the client secret; none for a public client.
    pub secret_hash: Option<Vec<u8>>,
    /// Compared exactly.
    pub redirect_uris: Vec<String>,
    /// Compared exactly.
    pub post_logout_redirect_uris: Vec<String>,
    /// Where back-channel logout tokens go; empty: nowhere.
    pub backchannel_logout_uri: Option<String>,
    /// Where a login that began at the identity provider is sent.
    pub initiate_login_uri: Option<String>,
    /// Where an unknown e-mail domain goes.
    pub fallback_connection: Option<ConnectionId>,
    /// Signature of its ID tokens.
    pub id_token_signed_response_alg: SigningAlgorithm,
    /// `authorization_code`, `client_credentials`.
    pub grant_types: Vec<String>,
    /// Scopes of the Management API that client credentials may ask for.
    pub scopes: Vec<String>,
    /// Its keys for `private_key_jwt`, as registered.
    pub jwks: Option<serde_json::Value>,
    /// Where its keys are.
    pub jwks_uri: Option<String>,
}
