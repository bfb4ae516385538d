//! `private_key_jwt`: a client assertion (RFC 7523, OpenID Connect Core 9).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fedgate_certs::jose::{Accepted, JwsAlgorithm, verify_with_jwks};
use fedgate_certs::jwks::Jwks;
use fedgate_certs::{CertError, Timestamp};
use fedgate_providers::error::Refusal;
use jiff::SignedDuration;
use serde_json::{Map, Value};

use super::refusal::OpRefusal;

/// Algorithms that a client assertion may be signed with; discovery publishes them.
pub(super) const ALGORITHMS: [JwsAlgorithm; 3] = [
    JwsAlgorithm::Rs256,
    JwsAlgorithm::Ps256,
    JwsAlgorithm::Es256,
];
/// The longest that a client assertion may be valid, in seconds: as long its `jti` is remembered.
const LIFETIME_SECONDS: i64 = 600;
/// How far the application's clock may differ, in seconds.
const SKEW_SECONDS: i64 = 30;
/// Longest `jti`, in bytes.
const JTI_BYTES: usize = 256;

/// What remains to be done with a verified assertion: its `jti` may be used once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Once {
    /// The mark to set, unique to client and `jti`.
    pub(super) mark: String,
    /// After which the assertion has expired even with skew, and the mark is of no use.
    pub(super) until: Timestamp,
}

/// `sub` of an assertion whose signature has not been verified.
pub(super) fn claimed_subject(jwt: &str) -> Option<String> {
    let payload = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1)?).ok()?;
    let claims: Map<String, Value> = serde_json::from_slice(&payload).ok()?;
    claims.get("sub")?.as_str().map(str::to_owned)
}

/// Verifies a client assertion against the application's keys. `audiences` are the issuer and the token endpoint.
///
/// # Errors
/// `op.client_assertion_{malformed,signature,subject,audience,time}`.
pub(super) fn verify(
    jwt: &str,
    client_id: &str,
    jwks: &Jwks,
    audiences: &[&str],
    now: Timestamp,
) -> Result<Once, Refusal> {
    let accepted = Accepted {
        algorithms: &ALGORITHMS,
        types: &["JWT", "client-authentication+jwt"],
        skew: SignedDuration::from_secs(SKEW_SECONDS),
    };
    let claims = verify_with_jwks(jwt, jwks, &accepted, now).map_err(|error| refusal_of(&error))?;
    for name in ["iss", "sub"] {
        if text(&claims, name) != Some(client_id) {
            return Err(OpRefusal::ClientAssertionSubject
                .refuse()
                .expected(client_id)
                .found(shown(&claims, name)));
        }
    }
    audience(&claims, audiences)?;
    let until = expiry(&claims, now)?;
    let jti = text(&claims, "jti").filter(|jti| !jti.is_empty() && jti.len() <= JTI_BYTES);
    let jti = jti.ok_or_else(|| OpRefusal::ClientAssertionMalformed.refuse().expected("jti"))?;
    // The length keeps the two parts apart, whatever they hold.
    Ok(Once {
        mark: format!("{}/{client_id}/{jti}", client_id.len()),
        until,
    })
}

/// One audience, and ours: an assertion that names several servers could be replayed here by any of them
/// (OpenID Foundation, disclosure on `private_key_jwt` of January 2025).
fn audience(claims: &Map<String, Value>, audiences: &[&str]) -> Result<(), Refusal> {
    let named = match claims.get("aud") {
        Some(Value::String(one)) => Some(one.as_str()),
        Some(Value::Array(several)) if several.len() == 1 => several[0].as_str(),
        _ => None,
    };
    if named.is_some_and(|named| audiences.contains(&named)) {
        return Ok(());
    }
    Err(OpRefusal::ClientAssertionAudience
        .refuse()
        .expected(audiences.join(" "))
        .found(shown(claims, "aud")))
}

fn expiry(claims: &Map<String, Value>, now: Timestamp) -> Result<Timestamp, Refusal> {
    let refusal = || {
        OpRefusal::ClientAssertionTime
            .refuse()
            .expected(format!("at most {LIFETIME_SECONDS} seconds"))
    };
    let expires = claims
        .get("exp")
        .and_then(Value::as_f64)
        .ok_or_else(refusal)?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "an `as` cast saturates, and the next line bounds the value"
    )]
    let expires = expires as i64;
    if expires > now.as_second() + LIFETIME_SECONDS + SKEW_SECONDS {
        return Err(refusal().found(format!(
            "{} seconds",
            expires.saturating_sub(now.as_second())
        )));
    }
    Timestamp::from_second(expires + SKEW_SECONDS).map_err(|_| refusal())
}

fn refusal_of(error: &CertError) -> Refusal {
    let leaf = match error {
        CertError::Expired | CertError::NotYetValid | CertError::DateMalformed => {
            OpRefusal::ClientAssertionTime
        }
        CertError::TokenTooLarge
        | CertError::NotAToken
        | CertError::DuplicateMember
        | CertError::CriticalHeader
        | CertError::TypeRefused => OpRefusal::ClientAssertionMalformed,
        _ => OpRefusal::ClientAssertionSignature,
    };
    leaf.refuse().detail(error)
}

fn text<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c str> {
    claims.get(name).and_then(Value::as_str)
}

fn shown(claims: &Map<String, Value>, name: &str) -> String {
    claims
        .get(name)
        .map_or_else(|| format!("no {name}"), Value::to_string)
}

#[cfg(test)]
mod tests;
