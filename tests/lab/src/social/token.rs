//! The token endpoints.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use openssl::bn::BigNum;
use openssl::ecdsa::EcdsaSig;
use serde_json::{Value, json};

use super::facts::{Client, Dress};
use super::{Grant, Personality, Social, claims};
use crate::oidc_op::sha256_text;

type Fields = BTreeMap<String, String>;

pub(super) fn redeem(
    lab: &Social,
    personality: &'static Personality,
    headers: &HeaderMap,
    body: &[u8],
) -> Response {
    let fields: Fields = url::form_urlencoded::parse(body).into_owned().collect();
    if !authenticated(lab, personality, headers, &fields) {
        return refuse(personality, StatusCode::UNAUTHORIZED, true);
    }
    let granted = lab
        .grants
        .take_code(field(&fields, "code"))
        .filter(|grant| {
            grant.personality == personality
                && grant.redirect_uri == field(&fields, "redirect_uri")
                && field(&fields, "grant_type") == "authorization_code"
                && verifier_fits(grant, field(&fields, "code_verifier"))
        });
    let Some(grant) = granted else {
        return refuse(personality, StatusCode::BAD_REQUEST, false);
    };
    match tokens(lab, &grant) {
        Ok(tokens) => answer(personality.dress, headers, tokens),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn tokens(lab: &Social, grant: &Grant) -> Result<Value, openssl::error::ErrorStack> {
    let personality = grant.personality;
    let token = grant.access_token.as_str();
    let mut tokens = match personality.dress {
        Dress::Bare => json!({ "access_token": token, "expires_in": "3600" }),
        Dress::Bitbucket => {
            json!({ "access_token": token, "scopes": personality.scope, "token_type": "bearer", "state": "authorization_code" })
        }
        Dress::Twitch => {
            json!({ "access_token": token, "expires_in": 14124, "scope": ["openid", "user:read:email"], "token_type": "bearer" })
        }
        Dress::GitHub => {
            json!({ "access_token": token, "scope": "read:user,user:email", "token_type": "bearer" })
        }
        Dress::Slack => json!({ "ok": true, "access_token": token, "token_type": "Bearer" }),
        Dress::Standard => {
            json!({ "access_token": token, "token_type": "Bearer", "expires_in": 3600, "scope": personality.scope })
        }
    };
    if personality.keys.is_some() {
        tokens["id_token"] = claims::id_token(lab, grant)?.into();
    }
    Ok(tokens)
}

fn answer(dress: Dress, headers: &HeaderMap, tokens: Value) -> Response {
    let wants_json = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("json"));
    // GitHub Enterprise of older versions writes a form whatever is asked; the lab does so always.
    if dress == Dress::GitHub && (!wants_json || tokens.get("error").is_none()) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let pairs = tokens.as_object().into_iter().flatten();
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs.map(|(name, value)| (name, text(value))))
            .finish();
        return (
            [(header::CONTENT_TYPE, "application/x-www-form-urlencoded")],
            form,
        )
            .into_response();
    }
    Json(tokens).into_response()
}

fn refuse(personality: &Personality, status: StatusCode, client: bool) -> Response {
    let error =
        |code: &str, of_client: &str| json!({ "error": if client { of_client } else { code } });
    match personality.dress {
        Dress::GitHub => Json(error(
            "bad_verification_code",
            "incorrect_client_credentials",
        ))
        .into_response(),
        Dress::Slack => {
            let mut answer = error("invalid_code", "bad_client_secret");
            answer["ok"] = false.into();
            Json(answer).into_response()
        }
        Dress::Twitch => {
            let message = if client {
                "invalid client secret"
            } else {
                "Invalid authorization code"
            };
            (
                status,
                Json(json!({ "status": status.as_u16(), "message": message })),
            )
                .into_response()
        }
        Dress::Bare => {
            Json(json!({ "status": "error", "code": 40102, "msg": "invalid code" })).into_response()
        }
        _ => (status, Json(error("invalid_grant", "invalid_client"))).into_response(),
    }
}

fn authenticated(
    lab: &Social,
    personality: &Personality,
    headers: &HeaderMap,
    fields: &Fields,
) -> bool {
    let options = &lab.options;
    let known = |id: &str, secret: &str| id == options.client_id && secret == options.client_secret;
    let by_header = basic(headers).is_some_and(|(id, secret)| known(&id, &secret));
    let has_header = headers.contains_key(header::AUTHORIZATION);
    let (id, secret) = (field(fields, "client_id"), field(fields, "client_secret"));
    match personality.client {
        Client::Post => !has_header && known(id, secret),
        Client::Basic => by_header,
        Client::Either => by_header || known(id, secret),
        Client::Signed => id == options.client_id && is_signed(lab, secret),
        Client::BasicOrPublic => {
            by_header || (!has_header && secret.is_empty() && id == options.client_id)
        }
    }
}

/// Apple's client secret: ES256 by the known key, for this client and Apple, for less than six months.
fn is_signed(lab: &Social, secret: &str) -> bool {
    let parts: Vec<&str> = secret.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        return false;
    };
    let json_of = |text: &str| {
        let octets = URL_SAFE_NO_PAD.decode(text).ok()?;
        serde_json::from_slice::<Value>(&octets).ok()
    };
    let (Some(head), Some(body)) = (json_of(header), json_of(claims)) else {
        return false;
    };
    let now = lab.clock.now().as_second();
    let fresh = body["exp"]
        .as_i64()
        .is_some_and(|end| end > now && end <= now + 15_777_000);
    let named = head["alg"] == "ES256"
        && head["kid"] == "LABKEY0001"
        && body["iss"] == "LABTEAM001"
        && body["aud"] == "https://appleid.apple.com"
        && body["sub"] == lab.options.client_id.as_str();
    fresh && named && verified(lab, &format!("{header}.{claims}"), signature) == Some(true)
}

fn verified(lab: &Social, input: &str, signature: &str) -> Option<bool> {
    let octets = URL_SAFE_NO_PAD
        .decode(signature)
        .ok()
        .filter(|octets| octets.len() == 64)?;
    let half = |octets: &[u8]| BigNum::from_slice(octets).ok();
    let signature =
        EcdsaSig::from_private_components(half(&octets[..32])?, half(&octets[32..])?).ok()?;
    let key = lab.client_key.private().ec_key().ok()?;
    let digest = openssl::sha::sha256(input.as_bytes());
    signature.verify(&digest, &key).ok()
}

fn verifier_fits(grant: &Grant, verifier: &str) -> bool {
    match &grant.code_challenge {
        Some(challenge) => sha256_text(verifier).is_ok_and(|digest| digest == *challenge),
        None => verifier.is_empty(),
    }
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let pair = STANDARD.decode(value.strip_prefix("Basic ")?).ok()?;
    let pair = String::from_utf8(pair).ok()?;
    let (id, secret) = pair.split_once(':')?;
    let decoded = |text: &str| {
        percent_encoding::percent_decode_str(text)
            .decode_utf8_lossy()
            .into_owned()
    };
    Some((decoded(id), decoded(secret)))
}

fn field<'f>(fields: &'f Fields, name: &str) -> &'f str {
    fields.get(name).map_or("", String::as_str)
}
