//! The token endpoint.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Grant, Lie, OidcOp, jws, sha256_text};
use crate::page;

/// The size of a huge answer, in bytes.
const HUGE_BYTES: usize = 16 * 1024 * 1024;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Redemption {
    grant_type: String,
    code: String,
    redirect_uri: String,
    code_verifier: String,
    client_id: String,
    client_secret: String,
}

/// Redeems a code once, for the client that it was given to and the verifier behind its challenge (RFC 7636 4.6).
pub(super) async fn redeem(
    State(op): State<Arc<OidcOp>>,
    headers: HeaderMap,
    Form(redemption): Form<Redemption>,
) -> Response {
    let (id, secret) = basic(&headers).unwrap_or_else(|| {
        (
            redemption.client_id.clone(),
            redemption.client_secret.clone(),
        )
    });
    if id != op.options.client_id || secret != op.options.client_secret {
        return refuse(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    if redemption.grant_type != "authorization_code" {
        return refuse(StatusCode::BAD_REQUEST, "unsupported_grant_type");
    }
    let Some(grant) = op
        .grants
        .take_code(&redemption.code)
        .filter(|grant| fits(grant, &redemption))
    else {
        return refuse(StatusCode::BAD_REQUEST, "invalid_grant");
    };
    tokio::time::sleep(grant.lie.delay()).await;
    answer(&op, &grant)
}

fn fits(grant: &Grant, redemption: &Redemption) -> bool {
    let verified = match &grant.code_challenge {
        Some(challenge) => {
            sha256_text(&redemption.code_verifier).is_ok_and(|hash| hash == *challenge)
        }
        None => redemption.code_verifier.is_empty(),
    };
    verified && redemption.redirect_uri == grant.redirect_uri
}

fn answer(op: &OidcOp, grant: &Grant) -> Response {
    match grant.lie {
        Lie::InvalidClient => return refuse(StatusCode::UNAUTHORIZED, "invalid_client"),
        Lie::InvalidGrant => return refuse(StatusCode::BAD_REQUEST, "invalid_grant"),
        Lie::ServerFailure => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Lie::Redirected => {
            return Redirect::temporary("https://another-issuer.test/token").into_response();
        }
        Lie::Huge => return json_text(format!("{{\"pad\":\"{}\"}}", "x".repeat(HUGE_BYTES))),
        Lie::NotJson => return page::message(StatusCode::OK, "Welcome", "This is a web page."),
        _ => {}
    }
    let tokens = match tokens(op, grant) {
        Ok(tokens) => tokens,
        Err(error) => return page::failure(&error.into()),
    };
    let text = tokens.to_string();
    match grant.lie {
        Lie::Truncated => json_text(text[..text.len() / 2].to_owned()),
        _ => json_text(text),
    }
}

fn tokens(op: &OidcOp, grant: &Grant) -> Result<Value, openssl::error::ErrorStack> {
    let mut tokens = json!({ "token_type": "Bearer", "expires_in": 300 });
    if grant.lie != Lie::NoAccessToken {
        tokens["access_token"] = grant.access_token.as_str().into();
    }
    if grant.lie != Lie::NoIdToken {
        tokens["id_token"] = jws::id_token(op, grant)?.into();
    }
    Ok(tokens)
}

/// HTTP Basic, each half form-encoded (RFC 6749 2.3.1).
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Basic ")?;
    let pair = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    Some((form_decoded(id), form_decoded(secret)))
}

fn form_decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    percent_decode_str(&text).decode_utf8_lossy().into_owned()
}

fn refuse(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}

fn json_text(text: String) -> Response {
    (
        [
            (header::CONTENT_TYPE, "application/json"),
            (header::CACHE_CONTROL, "no-store"),
        ],
        text,
    )
        .into_response()
}
