//! Who an application is at the token endpoint: what it presents, and whether that proves it.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fedgate_certs::seal::Sealer;
use fedgate_certs::{CertError, Timestamp};
use fedgate_providers::error::Refusal;
use http::{HeaderMap, header::AUTHORIZATION};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::assertion;
use super::parameters::{Parameters, form_decode};
use super::refusal::OpRefusal;
use super::request::CLIENT_ID_BYTES;
use crate::store::application::Application;

/// Longest client secret, in bytes.
const SECRET_BYTES: usize = 1024;
/// Longest client assertion, in bytes.
const ASSERTION_BYTES: usize = fedgate_certs::jose::TOKEN_BYTES;
/// `client_assertion_type` of a JWT (RFC 7523 2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What a token request brings to prove who sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Presented {
    /// The application that the sender claims to be.
    pub(super) client_id: String,
    /// What it proves that with.
    pub(super) proof: Proof,
}

/// One way of client authentication (OpenID Connect Core 9).
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Proof {
    /// `none`: a public client.
    Nothing,
    /// `client_secret_basic` or `client_secret_post`.
    Secret(Zeroizing<String>),
    /// `private_key_jwt`.
    Assertion(String),
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::Secret(_) => "Secret(…)",
            Self::Assertion(_) => "Assertion(…)",
        })
    }
}

/// Whether the application has nothing to authenticate with, so that PKCE alone binds a code to it.
pub fn is_public(application: &Application) -> bool {
    application.secret_hash.is_none()
        && application.jwks.is_none()
        && application.jwks_uri.is_none()
}

/// What the store keeps of a client secret. The client id is part of it: a hash moved to another row proves nothing.
/// A secret is random and long, so that a keyed hash is enough and a slow one would only be a way to tire the server.
///
/// # Errors
/// Those of OpenSSL.
pub fn secret_hash(sealer: &Sealer, client_id: &str, secret: &str) -> Result<Vec<u8>, CertError> {
    // Neither half can shift into the other: a client id holds no zero octet.
    let data = Zeroizing::new(format!("{client_id}\0{secret}"));
    sealer.mac("client_secret", data.as_bytes()).map(Vec::from)
}

/// Compares a presented secret with the registered hash, in constant time; with the one before it too, while that
/// still counts.
///
/// # Errors
/// `op.client_secret_wrong`, also where no secret is registered; `op.signing_failed` when OpenSSL fails.
pub(super) fn check_secret(
    sealer: &Sealer,
    application: &Application,
    secret: &str,
    now: Timestamp,
) -> Result<(), Refusal> {
    let presented = secret_hash(sealer, &application.client_id, secret)
        .map_err(|error| OpRefusal::SigningFailed.refuse().detail(error))?;
    let Some(registered) = &application.secret_hash else {
        return Err(OpRefusal::ClientSecretWrong
            .refuse()
            .detail("no client secret is registered"));
    };
    let previous = application.previous_secret.as_ref();
    let previous = previous.filter(|previous| now < previous.expires_at);
    let matches = previous
        .map(|previous| &previous.hash)
        .into_iter()
        .fold(presented.ct_eq(registered), |found, hash| {
            found | presented.ct_eq(hash)
        });
    if bool::from(matches) {
        Ok(())
    } else {
        Err(OpRefusal::ClientSecretWrong.into())
    }
}

/// Reads what a token request presents, and refuses more than one way at once (RFC 6749 2.3).
///
/// # Errors
/// `op.client_authentication_{missing,ambiguous,malformed}`, `op.client_assertion_malformed`, those of
/// [`Parameters::one`].
pub(super) fn presented(
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<Presented, Refusal> {
    let basic = basic(headers)?;
    let secret = parameters.one("client_secret", SECRET_BYTES)?;
    let assertion = parameters.one("client_assertion", ASSERTION_BYTES)?;
    let ways = usize::from(basic.is_some())
        + usize::from(secret.is_some())
        + usize::from(assertion.is_some());
    if ways > 1 {
        return Err(OpRefusal::ClientAuthenticationAmbiguous.into());
    }
    let named = parameters.one("client_id", CLIENT_ID_BYTES)?;
    let found = match (basic, secret, assertion) {
        (Some(presented), ..) => presented,
        (_, _, Some(jwt)) => by_assertion(parameters, named, jwt)?,
        (_, secret, _) => Presented {
            client_id: named
                .ok_or(OpRefusal::ClientAuthenticationMissing)?
                .to_owned(),
            proof: secret.map_or(Proof::Nothing, |secret| {
                Proof::Secret(Zeroizing::new(secret.to_owned()))
            }),
        },
    };
    match named {
        Some(named) if named != found.client_id => Err(OpRefusal::ClientAuthenticationAmbiguous
            .refuse()
            .expected(&found.client_id)
            .found(named)),
        _ => Ok(found),
    }
}

fn by_assertion(
    parameters: &Parameters,
    named: Option<&str>,
    jwt: &str,
) -> Result<Presented, Refusal> {
    match parameters.one("client_assertion_type", SECRET_BYTES)? {
        Some(JWT_BEARER) => {}
        other => {
            let refusal = OpRefusal::ClientAssertionMalformed
                .refuse()
                .expected(JWT_BEARER);
            return Err(refusal.found(other.unwrap_or("no client_assertion_type")));
        }
    }
    // Only to know whose keys to try: nothing is believed before the signature.
    let client_id = match named {
        Some(named) => named.to_owned(),
        None => assertion::claimed_subject(jwt).ok_or(OpRefusal::ClientAssertionMalformed)?,
    };
    Ok(Presented {
        client_id,
        proof: Proof::Assertion(jwt.to_owned()),
    })
}

/// `Authorization: Basic`: id and secret are form-encoded before they are joined, so that either may hold a colon
/// (RFC 6749 2.3.1). An empty secret is that of a public client.
fn basic(headers: &HeaderMap) -> Result<Option<Presented>, Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(OpRefusal::ClientAuthenticationAmbiguous.into());
    }
    let malformed = || OpRefusal::ClientAuthenticationMalformed.refuse();
    let (scheme, credentials) = value
        .to_str()
        .ok()
        .and_then(|v| v.split_once(' '))
        .ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("basic")
        || credentials.len() > 2 * (CLIENT_ID_BYTES + SECRET_BYTES)
    {
        return Err(malformed().expected("Basic"));
    }
    let pair = Zeroizing::new(
        STANDARD
            .decode(credentials.trim())
            .map_err(|_| malformed())?,
    );
    let pair = std::str::from_utf8(&pair).map_err(|_| malformed())?;
    let (client_id, secret) = pair.split_once(':').ok_or_else(malformed)?;
    let client_id = form_decode(client_id)
        .filter(|id| !id.is_empty())
        .ok_or_else(malformed)?;
    let secret = Zeroizing::new(form_decode(secret).ok_or_else(malformed)?);
    let proof = if secret.is_empty() {
        Proof::Nothing
    } else {
        Proof::Secret(secret)
    };
    Ok(Some(Presented { client_id, proof }))
}

#[cfg(test)]
mod tests;
