//! A client secret that is a token of our own (Apple): an ES256 JWT, made for one request.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fedgate_certs::Timestamp;
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::hash::{MessageDigest, hash};
use openssl::pkey::PKey;
use serde_json::json;

use super::habits::Habits;
use crate::connection::{ConnectionRefusal, Secret};
use crate::error::Refusal;
use crate::spec::oauth::MintedSecret;

/// How long one is good for, in seconds: far from the six months that Apple allows.
const LIFETIME_SECONDS: i64 = 300;
/// The size of r and of s on P-256, in bytes (RFC 7518 section 3.4).
const HALF_BYTES: i32 = 32;

/// Makes a secret.
///
/// # Errors
/// `connection.option_missing`, `connection.client_key`.
pub(super) fn mint(
    described: &MintedSecret,
    habits: &Habits,
    client_id: &str,
    key: &Secret,
    now: Timestamp,
) -> Result<String, Refusal> {
    let filled = |template: &str| {
        habits
            .fill(template)
            .ok_or_else(|| ConnectionRefusal::OptionMissing.refuse().expected(template))
    };
    let issued = now.as_second();
    let header = json!({ "alg": "ES256", "kid": filled(&described.key_id)? });
    let claims = json!({
        "iss": filled(&described.issuer)?, "sub": client_id, "aud": described.audience,
        "iat": issued, "exp": issued + LIFETIME_SECONDS,
    });
    let encoded = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let input = format!("{}.{}", encoded(&header), encoded(&claims));
    let signature = signature(key, &input)
        .map_err(|error| ConnectionRefusal::ClientKey.refuse().detail(error))?;
    Ok(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

fn signature(key: &Secret, input: &str) -> Result<Vec<u8>, ErrorStack> {
    let key = PKey::private_key_from_pem_passphrase(key.reveal().as_bytes(), b"")?.ec_key()?;
    let digest = hash(MessageDigest::sha256(), input.as_bytes())?;
    let signature = EcdsaSig::sign(&digest, &key)?;
    let halves = [
        signature.r().to_vec_padded(HALF_BYTES)?,
        signature.s().to_vec_padded(HALF_BYTES)?,
    ];
    Ok(halves.concat())
}
