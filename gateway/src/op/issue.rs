//! The tokens that this provider signs, and how it knows them again.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fedgate_certs::jose;
use fedgate_certs::key::SigningAlgorithm;
use fedgate_certs::keyring::Keyring;
use fedgate_certs::{CertError, Timestamp};
use fedgate_providers::error::Refusal;
use fedgate_providers::login::Site;
use openssl::sha::sha256;
use rand::CryptoRng;
use serde::Serialize;
use serde_json::{Map, Value};

use super::refusal::OpRefusal;
use super::{Claims, Grant};

/// `typ` of an access token (RFC 9068 2.1).
const ACCESS_TOKEN_TYPE: &str = "at+jwt";
/// `typ` of an ID token.
const ID_TOKEN_TYPE: &str = "JWT";
/// Claims that the scope `email` releases (OpenID Connect Core 5.4).
const EMAIL_CLAIMS: [&str; 2] = ["email", "email_verified"];
/// Claims that the scope `profile` releases, of those that this provider knows.
const PROFILE_CLAIMS: [&str; 4] = ["given_name", "family_name", "name", "picture"];

/// What signs a token, where and when.
#[derive(Clone, Copy)]
pub struct Issuer<'a> {
    /// The keys.
    pub keyring: &'a Keyring,
    /// The host that was asked.
    pub site: &'a Site,
    /// Lifetime of the token, in seconds.
    pub seconds: u64,
    /// The present moment.
    pub now: Timestamp,
}

/// What the code was exchanged for.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct UserTokens {
    pub(crate) access_token: String,
    pub(crate) id_token: String,
}

/// A person's access token, verified: who may read whose profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UserToken {
    pub(super) sub: String,
    pub(super) sid: String,
    pub(super) scope: Vec<String>,
}

/// Who a token of `fedgate token create` says it was given to: nobody's application.
pub const COMMAND_LINE: &str = "fedgate-cli";

/// Who calls the Management API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiCaller {
    /// The application.
    pub client_id: String,
    /// What it may do, as granted with the token.
    pub scopes: Vec<String>,
}

impl ApiCaller {
    /// Whether it has one of these scopes.
    pub fn has_any(&self, scopes: &[&str]) -> bool {
        self.scopes
            .iter()
            .any(|scope| scopes.contains(&scope.as_str()))
    }
}

/// `aud` of a person's access token: the userinfo endpoint, which is the only place that takes it.
pub(super) fn user_audience(site: &Site) -> String {
    site.url(super::USERINFO_PATH)
}

/// `aud` of an access token from client credentials: the Management API.
pub fn api_audience(site: &Site) -> String {
    site.url("/api")
}

/// Signs the ID token and the access token of a grant.
///
/// # Errors
/// `op.signing_failed`
pub(crate) fn user_tokens(
    issuer: &Issuer<'_>,
    grant: &Grant,
    id_token_algorithm: SigningAlgorithm,
    rng: &mut dyn CryptoRng,
) -> Result<UserTokens, Refusal> {
    let access = AccessClaims {
        audience: Audience::One(user_audience(issuer.site)),
        subject: &grant.claims.sub,
        client_id: &grant.request.client_id,
        scope: &grant.request.scope,
        sid: Some(&grant.claims.sid),
    };
    let access_token = issuer.access_token(&access, rng)?;
    let mut claims = released(&grant.claims, &grant.request.scope)?;
    claims.insert("iss".into(), grant.issuer.as_str().into());
    claims.insert("aud".into(), grant.request.client_id.as_str().into());
    claims.insert("iat".into(), issuer.now.as_second().into());
    claims.insert("exp".into(), issuer.expires().into());
    claims.insert("at_hash".into(), half_hash(&access_token).into());
    if let Some(nonce) = &grant.request.nonce {
        claims.insert("nonce".into(), nonce.as_str().into());
    }
    let id_token = issuer.sign(id_token_algorithm, ID_TOKEN_TYPE, &claims)?;
    Ok(UserTokens {
        access_token,
        id_token,
    })
}

/// Signs an access token for the Management API, whose subject is the application itself (RFC 9068 2.2).
///
/// # Errors
/// `op.signing_failed`
pub fn api_token(
    issuer: &Issuer<'_>,
    client_id: &str,
    scopes: &[String],
    rng: &mut dyn CryptoRng,
) -> Result<String, Refusal> {
    let audience = Audience::Several([api_audience(issuer.site)]);
    issuer.access_token(
        &AccessClaims {
            audience,
            subject: client_id,
            client_id,
            scope: scopes,
            sid: None,
        },
        rng,
    )
}

/// Verifies a bearer token for the Management API. A person's access token and an ID token never pass.
///
/// # Errors
/// `op.token_invalid`, `op.token_expired`, `op.token_audience`.
pub fn verify_api_token(
    keyring: &Keyring,
    site: &Site,
    bearer: &str,
    now: Timestamp,
) -> Result<ApiCaller, Refusal> {
    let claims = verify(keyring, site, bearer, &api_audience(site), now)?;
    Ok(ApiCaller {
        client_id: text(&claims, "client_id")?,
        scopes: words(&text(&claims, "scope")?),
    })
}

/// Verifies a person's access token, for userinfo.
///
/// # Errors
/// `op.token_invalid`, `op.token_expired`, `op.token_audience`.
pub(super) fn verify_user_token(
    keyring: &Keyring,
    site: &Site,
    bearer: &str,
    now: Timestamp,
) -> Result<UserToken, Refusal> {
    let claims = verify(keyring, site, bearer, &user_audience(site), now)?;
    Ok(UserToken {
        sub: text(&claims, "sub")?,
        sid: text(&claims, "sid")?,
        scope: words(&text(&claims, "scope")?),
    })
}

/// Claims of an ID token of ours, expired or not: it says which session a sign-out means.
///
/// # Errors
/// `op.logout_hint_invalid`
pub(crate) fn verify_hint(
    keyring: &Keyring,
    site: &Site,
    hint: &str,
) -> Result<Map<String, Value>, Refusal> {
    let invalid = || OpRefusal::LogoutHintInvalid.refuse();
    // RP-Initiated Logout 1.0, 2: "SHOULD accept ID Tokens when the RP identified … has a current session … even
    // when the exp time has passed". At the epoch nothing of ours has expired.
    let claims = jose::verify(hint, keyring, ID_TOKEN_TYPE, Timestamp::UNIX_EPOCH)
        .map_err(|error| invalid().detail(error))?;
    match claims.get("iss").and_then(Value::as_str) {
        Some(issuer) if issuer == site.issuer => Ok(claims),
        other => Err(invalid()
            .expected(&site.issuer)
            .found(other.unwrap_or("no iss"))),
    }
}

/// Claims that `scope` releases. Without `profile` or `email` in it, what the contract always tells stays:
/// `sub`, `sid`, `org_code`, `amr`, `acr`, `auth_time`, `ext_provider`.
///
/// # Errors
/// `op.signing_failed`, if the claims cannot be written as JSON.
pub(super) fn released(claims: &Claims, scope: &[String]) -> Result<Map<String, Value>, Refusal> {
    let asked = |name: &str| scope.iter().any(|scope| scope == name);
    let mut released = match serde_json::to_value(claims) {
        Ok(Value::Object(released)) => released,
        Ok(_) => Map::new(),
        Err(error) => return Err(OpRefusal::SigningFailed.refuse().detail(error)),
    };
    let withheld = |name: &str| {
        (EMAIL_CLAIMS.contains(&name) && !asked("email"))
            || (PROFILE_CLAIMS.contains(&name) && !asked("profile"))
    };
    released.retain(|name, _| !withheld(name));
    Ok(released)
}

struct AccessClaims<'a> {
    audience: Audience,
    subject: &'a str,
    client_id: &'a str,
    scope: &'a [String],
    sid: Option<&'a str>,
}

/// Kinde's API tokens hold a list, a person's a string.
#[derive(Serialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several([String; 1]),
}

impl Issuer<'_> {
    fn expires(&self) -> i64 {
        self.now.as_second().saturating_add_unsigned(self.seconds)
    }

    /// RFC 9068. Always ES256: nobody but this gateway verifies an access token, and an RSA signature costs ten times
    /// as much.
    fn access_token(
        &self,
        access: &AccessClaims<'_>,
        rng: &mut dyn CryptoRng,
    ) -> Result<String, Refusal> {
        #[derive(Serialize)]
        struct Body<'b> {
            iss: &'b str,
            aud: &'b Audience,
            sub: &'b str,
            client_id: &'b str,
            scope: String,
            #[serde(skip_serializing_if = "Option::is_none")]
            sid: Option<&'b str>,
            iat: i64,
            exp: i64,
            jti: String,
        }
        let body = Body {
            iss: &self.site.issuer,
            aud: &access.audience,
            sub: access.subject,
            client_id: access.client_id,
            scope: access.scope.join(" "),
            sid: access.sid,
            iat: self.now.as_second(),
            exp: self.expires(),
            jti: random_text::<16>(rng),
        };
        self.sign(SigningAlgorithm::Es256, ACCESS_TOKEN_TYPE, &body)
    }

    fn sign(
        &self,
        algorithm: SigningAlgorithm,
        typ: &str,
        claims: &impl Serialize,
    ) -> Result<String, Refusal> {
        let failed = || OpRefusal::SigningFailed.refuse();
        let key = self.keyring.signer(algorithm);
        let key =
            key.ok_or_else(|| failed().expected(format!("an active {} key", algorithm.as_str())))?;
        jose::sign(key, typ, claims).map_err(|error| failed().detail(error))
    }
}

/// So many random octets in base64url.
pub(crate) fn random_text<const OCTETS: usize>(rng: &mut dyn CryptoRng) -> String {
    let mut octets = [0; OCTETS];
    rng.fill_bytes(&mut octets);
    URL_SAFE_NO_PAD.encode(octets)
}

/// `at_hash`: the left half of the hash that the signature uses, SHA-256 in RS256 and in ES256 (Core 3.1.3.6).
fn half_hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(&sha256(token.as_bytes())[..16])
}

/// The signature, the type and the expiry are `jose::verify`'s; issuer and audience are compared here, exactly.
fn verify(
    keyring: &Keyring,
    site: &Site,
    bearer: &str,
    audience: &str,
    now: Timestamp,
) -> Result<Map<String, Value>, Refusal> {
    let claims =
        jose::verify(bearer, keyring, ACCESS_TOKEN_TYPE, now).map_err(|error| match error {
            CertError::Expired => OpRefusal::TokenExpired.refuse(),
            other => OpRefusal::TokenInvalid.refuse().detail(other),
        })?;
    if text(&claims, "iss")? != site.issuer {
        return Err(OpRefusal::TokenInvalid
            .refuse()
            .expected(&site.issuer)
            .found(text(&claims, "iss")?));
    }
    let named = match claims.get("aud") {
        Some(Value::String(one)) => Some(one.as_str()),
        Some(Value::Array(several)) if several.len() == 1 => several[0].as_str(),
        _ => None,
    };
    if named != Some(audience) {
        return Err(OpRefusal::TokenAudience
            .refuse()
            .expected(audience)
            .found(named.unwrap_or_default()));
    }
    Ok(claims)
}

fn text(claims: &Map<String, Value>, name: &str) -> Result<String, Refusal> {
    let text = claims.get(name).and_then(Value::as_str).map(str::to_owned);
    text.ok_or_else(|| OpRefusal::TokenInvalid.refuse().expected(name))
}

fn words(text: &str) -> Vec<String> {
    text.split(' ')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests;
