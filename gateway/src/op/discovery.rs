//! What this provider says about itself.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use fedgate_certs::jose::JwsAlgorithm;
use fedgate_certs::key::SigningAlgorithm;
use fedgate_providers::login::Site;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde_json::{Value, json};

use super::assertion::ALGORITHMS;
use super::request::{KNOWN_SCOPES, PROMPTS};
use super::{AUTHORIZE_PATH, JWKS_PATH, LOGOUT_PATH, TOKEN_PATH, USERINFO_PATH};
use crate::app::Shared;

/// How long others may keep the keys: a new key is announced for longer than that before it signs.
const KEYS_KEPT: &str = "public, max-age=300";
/// How long others may keep the document, which changes with the version of the gateway alone.
const DOCUMENT_KEPT: &str = "public, max-age=3600";

/// `GET /.well-known/openid-configuration`
pub(super) async fn openid_configuration(State(app): State<Shared>) -> Response {
    ([(CACHE_CONTROL, DOCUMENT_KEPT)], Json(document(&app.site))).into_response()
}

/// `GET /.well-known/jwks.json`; the key ring keeps the text ready.
pub(super) async fn jwks(State(app): State<Shared>) -> Response {
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, KEYS_KEPT),
    ];
    (headers, app.keyring.ring().jwks().to_owned()).into_response()
}

/// The provider metadata of a site (OpenID Connect Discovery 1.0, 3; RFC 8414). Members whose default says otherwise
/// are written out: `request_uri_parameter_supported` would be true if it were absent.
pub fn document(site: &Site) -> Value {
    json!({
        "issuer": site.issuer,
        "authorization_endpoint": site.url(AUTHORIZE_PATH),
        "token_endpoint": site.url(TOKEN_PATH),
        "userinfo_endpoint": site.url(USERINFO_PATH),
        "end_session_endpoint": site.url(LOGOUT_PATH),
        "jwks_uri": site.url(JWKS_PATH),
        "scopes_supported": KNOWN_SCOPES,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "client_credentials"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": SigningAlgorithm::ALL.map(SigningAlgorithm::as_str),
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"],
        "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS.map(JwsAlgorithm::as_str),
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": PROMPTS,
        "claim_types_supported": ["normal"],
        "claims_supported": [
            "iss", "aud", "sub", "sid", "iat", "exp", "nonce", "at_hash", "auth_time", "acr", "amr", "email",
            "email_verified", "name", "given_name", "family_name", "picture", "org_code", "ext_provider",
        ],
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "authorization_response_iss_parameter_supported": true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::testing::site;

    #[test]
    fn the_document_speaks_of_its_own_site() {
        let document = document(&site());
        assert_eq!(document["issuer"], "https://login.test");
        assert_eq!(
            document["userinfo_endpoint"],
            "https://login.test/oauth2/v2/user_profile"
        );
    }

    #[test]
    fn the_document_promises_no_request_object_and_no_front_channel_token() {
        let document = document(&site());
        assert_eq!(document["request_uri_parameter_supported"], false);
        assert_eq!(document["response_types_supported"], json!(["code"]));
        assert_eq!(
            document["code_challenge_methods_supported"],
            json!(["S256"])
        );
    }
}
