//! What the provider says about itself (OpenID Connect Discovery 1.0), and lies about that.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::{OidcOp, jws};
use crate::page;

pub(super) async fn honest(State(op): State<Arc<OidcOp>>) -> Json<Value> {
    Json(document(&op))
}

pub(super) async fn lying(State(op): State<Arc<OidcOp>>, Path(issuer): Path<String>) -> Response {
    let mut document = document(&op);
    document["issuer"] = op.at(&format!("/{issuer}")).into();
    match issuer.as_str() {
        "other-issuer" => document["issuer"] = "https://another-issuer.test".into(),
        "no-keys" | "weak-keys" => {
            document["jwks_uri"] = op.at(&format!("/{issuer}/jwks")).into();
            // Its callbacks come from the honest issuer: it must not promise to name itself there.
            document["authorization_response_iss_parameter_supported"] = false.into();
        }
        "no-secrets" => {
            document["token_endpoint_auth_methods_supported"] = json!(["private_key_jwt"]);
        }
        "no-endpoint" => document["token_endpoint"] = Value::Null,
        "not-json" => return "<html>".into_response(),
        _ => return StatusCode::NOT_FOUND.into_response(),
    }
    Json(document).into_response()
}

pub(super) async fn keys(State(op): State<Arc<OidcOp>>) -> Response {
    match jws::public_key(&op.key()) {
        Ok(key) => Json(json!({ "keys": [key] })).into_response(),
        Err(error) => page::failure(&error.into()),
    }
}

/// Keys that are none, or none to rely on: for encryption, or too short.
pub(super) async fn other_keys(
    State(op): State<Arc<OidcOp>>,
    Path(issuer): Path<String>,
) -> Response {
    if issuer != "weak-keys" {
        return Json(json!({ "keys": "none" })).into_response();
    }
    let Ok(key) = jws::public_key(&op.key()) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let (mut encrypts, mut short) = (key.clone(), key);
    encrypts["use"] = "enc".into();
    short["kid"] = "short".into();
    // 1,024 bits.
    let modulus = short["n"].as_str().map(|modulus| modulus[..171].to_owned());
    short["n"] = modulus.into();
    Json(json!({ "keys": [encrypts, short] })).into_response()
}

fn document(op: &OidcOp) -> Value {
    json!({
        "issuer": op.issuer(),
        "authorization_endpoint": op.at("/authorize"),
        "token_endpoint": op.at("/token"),
        "userinfo_endpoint": op.at("/userinfo"),
        "jwks_uri": op.at("/jwks"),
        "scopes_supported": ["openid", "email", "profile"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    })
}
