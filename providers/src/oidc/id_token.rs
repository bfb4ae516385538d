//! Verification of an ID token (OpenID Connect Core section 3.1.3.7, RFC 8725).
//!
//! Two judges, and both must hold, each with OpenSSL underneath: openidconnect, and our own reading, which refuses what no
//! sound token has, and names the claim that fails. Whose issuer a token's may be is decided by ours.

use fedgate_certs::Timestamp;
use fedgate_certs::error::CertError;
use fedgate_certs::jose::JwsAlgorithm;
use fedgate_certs::json;
use fedgate_certs::jwks::PublishedKey;
use openidconnect::core::{
    CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm,
};
use openidconnect::{
    ClaimsVerificationError, ClientId, EmptyAdditionalClaims, IdToken, IdTokenVerifier, IssuerUrl,
    JsonWebKeySet,
};
use serde_json::{Map, Value};

use super::OidcRefusal;
use super::claims::{Claims, SKEW_SECONDS};
use super::keys::KeySet;
use super::verification_key::VerificationKey;
use crate::error::Refusal;
use crate::login::OauthPending;
use crate::spec::oauth::Nonce;

/// The longest ID token that is read, in bytes.
const ID_TOKEN_BYTES: usize = 64 * 1024;
/// The longest kid, in bytes.
const KID_BYTES: usize = 256;

/// What a token is compared with.
pub(crate) struct Expected<'a> {
    /// Whom it may be from, as [`super::issuer`] reads it.
    pub(crate) issuers: &'a [String],
    pub(crate) client_id: &'a str,
    /// The algorithms that the provider announces, and we accept.
    pub(crate) algorithms: &'a [JwsAlgorithm],
    /// The access token that came beside it.
    pub(crate) access_token: &'a str,
    pub(crate) nonce: Nonce,
    pub(crate) pending: &'a OauthPending,
}

/// Verifies a token and returns its claims.
///
/// # Errors
/// The `oidc` leaf of the first thing that does not hold, or the `egress` leaf of the keys' fetch.
pub(crate) async fn verify(
    token: &str,
    expected: &Expected<'_>,
    keys: &KeySet,
    now: Timestamp,
) -> Result<Claims, Refusal> {
    let parsed = Parsed::read(token)?;
    let algorithm = parsed.algorithm(expected.algorithms)?;
    let key = keys.key(parsed.kid()?, algorithm, now).await?;
    let key_id = key.id.clone().unwrap_or_default();
    let key_issuer = key.issuer.clone();
    check_signature(token, &key, algorithm)?;
    let stated = parsed.claims.get("iss").and_then(Value::as_str);
    // The crate reads no issuer but a URL; Google's older spelling is none. Our own checks are all there is then.
    let verdict = match stated.map(|issuer| IssuerUrl::new(issuer.to_owned())) {
        Some(Ok(issuer)) => {
            let key = VerificationKey::new(key, algorithm);
            second_opinion(token, expected, issuer, key, now)
        }
        _ => Ok(()),
    };
    let claims = Claims::check(parsed.claims, algorithm, key_id, expected, now)?;
    check_key_issuer(key_issuer.as_deref(), &claims.issuer)?;
    verdict.map_err(|error| malformed("claims that both readers accept").detail(error))?;
    Ok(claims)
}

fn check_signature(
    token: &str,
    key: &PublishedKey,
    algorithm: JwsAlgorithm,
) -> Result<(), Refusal> {
    let invalid = || {
        OidcRefusal::SignatureInvalid.refuse().expected(format!(
            "{} by key {}",
            algorithm.as_str(),
            key.id.as_deref().unwrap_or_default()
        ))
    };
    let (input, signature) = token.rsplit_once('.').ok_or_else(invalid)?;
    let signature = json::base64url(signature).ok_or_else(invalid)?;
    key.public
        .verify(algorithm.scheme(), input.as_bytes(), &signature)
        .map_err(|_| invalid())
}

/// A key that names its issuer is good for no other one; `{tenantid}` in it stands for every tenant.
fn check_key_issuer(key: Option<&str>, issuer: &str) -> Result<(), Refusal> {
    let (before, after) = match key {
        None => return Ok(()),
        Some(key) => key.split_once("{tenantid}").unwrap_or((key, "")),
    };
    let is_template = key.is_some_and(|key| key.contains("{tenantid}"));
    let fits = if is_template {
        issuer.starts_with(before) && issuer.ends_with(after)
    } else {
        issuer == before
    };
    if fits {
        return Ok(());
    }
    Err(OidcRefusal::KeyIssuerMismatch
        .refuse()
        .expected(issuer)
        .found(key.unwrap_or_default()))
}

/// openidconnect's verdict, with the one key that fits. Audiences beside ours are judged by `azp`, in our own check.
fn second_opinion(
    token: &str,
    expected: &Expected<'_>,
    issuer: IssuerUrl,
    key: VerificationKey,
    now: Timestamp,
) -> Result<(), ClaimsVerificationError> {
    type Token = IdToken<
        EmptyAdditionalClaims,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >;
    let other = |error: &dyn std::fmt::Display| ClaimsVerificationError::Other(error.to_string());
    let token: Token = token.parse().map_err(|error| other(&error))?;
    let latest = chrono::DateTime::from_timestamp(now.as_second().saturating_sub(SKEW_SECONDS), 0)
        .ok_or_else(|| other(&"the clock is out of range"))?;
    let algorithm = key.algorithm();
    let client_id = ClientId::new(expected.client_id.to_owned());
    let verifier =
        IdTokenVerifier::new_public_client(client_id, issuer, JsonWebKeySet::new(vec![key]))
            .set_allowed_algs([algorithm])
            .set_other_audience_verifier_fn(|_| true)
            .set_time_fn(move || latest);
    let nonce = |found: Option<&openidconnect::Nonce>| match (found, &expected.pending.nonce) {
        (Some(found), Some(sent)) if found.secret() == sent => Ok(()),
        (None, _) if expected.nonce != Nonce::Required => Ok(()),
        _ => Err("another nonce".to_owned()),
    };
    token.claims(&verifier, nonce).map(|_| ())
}

/// A token taken apart; nothing in it is verified.
struct Parsed {
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl Parsed {
    fn read(token: &str) -> Result<Self, Refusal> {
        if token.len() > ID_TOKEN_BYTES {
            return Err(malformed("a token of at most 64 KiB"));
        }
        let segments: Vec<&str> = token.splitn(6, '.').collect();
        let [header, claims, signature] = segments[..] else {
            return Err(malformed("three segments").found(segments.len()));
        };
        json::base64url(signature).ok_or_else(|| malformed("a signature in base64url"))?;
        let parsed = Self {
            header: object(header)?,
            claims: object(claims)?,
        };
        if parsed.header.contains_key("crit") {
            return Err(OidcRefusal::CriticalHeader.into());
        }
        parsed.check_type()?;
        Ok(parsed)
    }

    /// RFC 8725 section 3.11: an access token or a logout token names itself here.
    fn check_type(&self) -> Result<(), Refusal> {
        let is_jwt = |typ: &str| {
            typ.eq_ignore_ascii_case("JWT") || typ.eq_ignore_ascii_case("application/jwt")
        };
        match (self.header.get("typ"), self.header.get("cty")) {
            (None, None) => Ok(()),
            (Some(Value::String(typ)), None) if is_jwt(typ) => Ok(()),
            (typ, cty) => Err(OidcRefusal::TypeMismatch
                .refuse()
                .expected("JWT")
                .found(typ.or(cty).unwrap_or(&Value::Null))),
        }
    }

    fn algorithm(&self, accepted: &[JwsAlgorithm]) -> Result<JwsAlgorithm, Refusal> {
        let name = self
            .header
            .get("alg")
            .and_then(Value::as_str)
            .ok_or_else(|| malformed("alg"))?;
        JwsAlgorithm::from_name(name)
            .filter(|algorithm| accepted.contains(algorithm))
            .ok_or_else(|| {
                let names: Vec<&str> = accepted
                    .iter()
                    .map(|algorithm| algorithm.as_str())
                    .collect();
                OidcRefusal::AlgorithmForbidden
                    .refuse()
                    .expected(names.join(" "))
                    .found(name)
            })
    }

    fn kid(&self) -> Result<Option<&str>, Refusal> {
        match self.header.get("kid") {
            None => Ok(None),
            Some(Value::String(kid)) if kid.len() <= KID_BYTES => Ok(Some(kid)),
            Some(_) => Err(malformed("a kid of at most 256 bytes")),
        }
    }
}

fn object(segment: &str) -> Result<Map<String, Value>, Refusal> {
    let text = json::base64url(segment).ok_or_else(|| malformed("segments in base64url"))?;
    json::object(&text, CertError::NotAToken).map_err(|error| match error {
        CertError::DuplicateMember => OidcRefusal::DuplicateMember.refuse(),
        _ => malformed("JSON objects"),
    })
}

fn malformed(expected: &str) -> Refusal {
    OidcRefusal::Malformed.refuse().expected(expected)
}
