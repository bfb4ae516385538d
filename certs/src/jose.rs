//! Signed JWTs (RFC 7515, RFC 7519): our own, and those that applications sign for us.
//!
//! Signing goes through `jsonwebtoken`, with a crypto provider over OpenSSL. Verifying does not: that library
//! compares dates with the system's clock, takes repeated members and ignores `crit`.

mod algorithm;
mod provider;

use jiff::SignedDuration;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::Timestamp;
use crate::error::CertError;
use crate::json;
use crate::jwks::Jwks;
use crate::key::SigningKey;
use crate::keyring::Keyring;

pub use algorithm::JwsAlgorithm;

/// The longest token that is read, in octets.
pub const TOKEN_BYTES: usize = 16 * 1024;

/// What a verifier accepts from somebody else's tokens.
#[derive(Clone, Copy, Debug)]
pub struct Accepted<'a> {
    /// The algorithms.
    pub algorithms: &'a [JwsAlgorithm],
    /// The values of `typ`, compared as media types (RFC 7515 §4.1.9); an absent `typ` is always accepted.
    pub types: &'a [&'a str],
    /// How far the clocks may differ.
    pub skew: SignedDuration,
}

/// Signs claims as a JWT whose header is `typ`, `alg` and `kid`.
///
/// # Errors
/// `NotSigned` when the claims are not representable as JSON or OpenSSL fails.
pub fn sign(key: &SigningKey, typ: &str, claims: &impl Serialize) -> Result<String, CertError> {
    provider::sign(key, typ, claims)
}

/// Verifies one of our own tokens and returns its claims.
///
/// `alg` must be that of the key named by `kid`, `typ` exactly the given one, and `exp` (required) after `now`.
/// Audience and the rest are the caller's.
///
/// # Errors
/// `TokenTooLarge`, `NotAToken`, `DuplicateMember`, `CriticalHeader`, `AlgorithmRefused`, `KeyUnknown`,
/// `TypeRefused`, `SignatureMalformed`, `SignatureInvalid`, `DateMalformed`, `Expired`, `NotYetValid`.
pub fn verify(
    token: &str,
    keyring: &Keyring,
    typ: &str,
    now: Timestamp,
) -> Result<Map<String, Value>, CertError> {
    let parsed = Parsed::read(token)?;
    let kid = parsed.kid()?.ok_or(CertError::KeyUnknown)?;
    let key = keyring.verifier(kid).ok_or(CertError::KeyUnknown)?;
    if parsed.algorithm != JwsAlgorithm::from(key.algorithm()) {
        return Err(CertError::AlgorithmRefused);
    }
    if parsed.header.get("typ").and_then(Value::as_str) != Some(typ) {
        return Err(CertError::TypeRefused);
    }
    key.public().verify(
        parsed.algorithm.scheme(),
        parsed.signing_input,
        &parsed.signature,
    )?;
    parsed.claims(now, SignedDuration::ZERO)
}

/// Verifies a token that somebody else signed, such as a client assertion (RFC 7523), and returns its claims.
///
/// `exp` is required. Issuer, subject, audience and `jti` are the caller's.
///
/// # Errors
/// Those of [`verify`], `KeyAmbiguous`, and the reason why the named key of the set was skipped.
pub fn verify_with_jwks(
    token: &str,
    jwks: &Jwks,
    accepted: &Accepted<'_>,
    now: Timestamp,
) -> Result<Map<String, Value>, CertError> {
    signed_by_one_of(token, jwks, accepted)?.claims(now, accepted.skew)
}

/// A token taken apart; nothing in it is verified.
struct Parsed<'t> {
    header: Map<String, Value>,
    algorithm: JwsAlgorithm,
    signing_input: &'t [u8],
    payload: &'t str,
    signature: Vec<u8>,
}

impl<'t> Parsed<'t> {
    fn read(token: &'t str) -> Result<Self, CertError> {
        if token.len() > TOKEN_BYTES {
            return Err(CertError::TokenTooLarge);
        }
        let (signing_input, signature) = token.rsplit_once('.').ok_or(CertError::NotAToken)?;
        let (header, payload) = signing_input.split_once('.').ok_or(CertError::NotAToken)?;
        if payload.contains('.') {
            return Err(CertError::NotAToken);
        }
        let header = json::base64url(header).ok_or(CertError::NotAToken)?;
        let header = json::object(&header, CertError::NotAToken)?;
        let signature = json::base64url(signature).ok_or(CertError::NotAToken)?;
        if header.contains_key("crit") {
            return Err(CertError::CriticalHeader);
        }
        let algorithm = header
            .get("alg")
            .and_then(Value::as_str)
            .and_then(JwsAlgorithm::from_name);
        let algorithm = algorithm.ok_or(CertError::AlgorithmRefused)?;
        Ok(Self {
            header,
            algorithm,
            signing_input: signing_input.as_bytes(),
            payload,
            signature,
        })
    }

    fn kid(&self) -> Result<Option<&str>, CertError> {
        match self.header.get("kid") {
            None => Ok(None),
            Some(Value::String(kid)) => Ok(Some(kid)),
            Some(_) => Err(CertError::NotAToken),
        }
    }

    fn has_type_of(&self, types: &[&str]) -> Result<bool, CertError> {
        match self.header.get("typ") {
            None => Ok(true),
            Some(Value::String(typ)) => {
                Ok(types.iter().any(|accepted| same_media_type(typ, accepted)))
            }
            Some(_) => Err(CertError::NotAToken),
        }
    }

    fn claims(
        &self,
        now: Timestamp,
        skew: SignedDuration,
    ) -> Result<Map<String, Value>, CertError> {
        let claims = json::base64url(self.payload).ok_or(CertError::NotAToken)?;
        let claims = json::object(&claims, CertError::NotAToken)?;
        let (now, skew) = (now.as_second(), skew.as_secs());
        let expires = date(&claims, "exp")?.ok_or(CertError::DateMalformed)?;
        if now >= expires.saturating_add(skew) {
            return Err(CertError::Expired);
        }
        if date(&claims, "nbf")?.is_some_and(|from| from > now.saturating_add(skew)) {
            return Err(CertError::NotYetValid);
        }
        Ok(claims)
    }
}

fn signed_by_one_of<'t>(
    token: &'t str,
    jwks: &Jwks,
    accepted: &Accepted<'_>,
) -> Result<Parsed<'t>, CertError> {
    let parsed = Parsed::read(token)?;
    if !accepted.algorithms.contains(&parsed.algorithm) {
        return Err(CertError::AlgorithmRefused);
    }
    if !parsed.has_type_of(accepted.types)? {
        return Err(CertError::TypeRefused);
    }
    let key = jwks.find(parsed.kid()?, parsed.algorithm)?;
    key.public.verify(
        parsed.algorithm.scheme(),
        parsed.signing_input,
        &parsed.signature,
    )?;
    Ok(parsed)
}

/// A NumericDate in whole seconds; it may come with a fraction (RFC 7519 §2).
fn date(claims: &Map<String, Value>, name: &str) -> Result<Option<i64>, CertError> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let seconds = match (value.as_i64(), value.as_f64()) {
        (Some(seconds), _) => Some(seconds),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the fraction is what is dropped, the range is checked"
        )]
        (None, Some(seconds)) if (0.0..1e12).contains(&seconds) => Some(seconds as i64),
        _ => None,
    };
    seconds.map(Some).ok_or(CertError::DateMalformed)
}

fn same_media_type(left: &str, right: &str) -> bool {
    let short = |name: &str| {
        let lower = name.to_ascii_lowercase();
        lower
            .strip_prefix("application/")
            .map(str::to_owned)
            .unwrap_or(lower)
    };
    short(left) == short(right)
}

#[cfg(test)]
mod tests;
