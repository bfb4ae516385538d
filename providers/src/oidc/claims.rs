//! The claims of an ID token: each compared by itself, so that a refusal names the one that fails.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fedgate_certs::Timestamp;
use fedgate_certs::jose::JwsAlgorithm;
use fedgate_certs::public_key::Scheme;
use openssl::memcmp;
use serde_json::{Map, Value};

use super::OidcRefusal;
use super::id_token::Expected;
use super::issuer;
use crate::error::Refusal;
use crate::login::OauthPending;
use crate::saml::assertion::is_plain;
use crate::spec::oauth::Nonce;

/// How far two clocks may differ, in seconds.
pub(crate) const SKEW_SECONDS: i64 = 60;
/// The longest subject, in bytes (OpenID Connect Core section 2).
const SUBJECT_BYTES: usize = 255;
/// The last second of the year 9999: a later date is no date.
const LAST_SECOND: i64 = 253_402_300_799;
/// Claims that prove something only in signed form.
const SIGNED_ONLY: [&str; 8] = [
    "acr",
    "amr",
    "auth_time",
    "sid",
    "hd",
    "tid",
    "oid",
    "xms_edov",
];

/// Verified claims, with what the user info endpoint adds.
#[derive(Debug)]
pub(crate) struct Claims {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    /// When the person proved themselves, in seconds since the epoch.
    pub(crate) auth_time: Option<i64>,
    pub(crate) algorithm: JwsAlgorithm,
    /// The kid of the key that signed; empty where it has none.
    pub(crate) key_id: String,
    /// Every claim, by name.
    pub(crate) members: Map<String, Value>,
}

impl Claims {
    /// Compares every claim that decides.
    pub(crate) fn check(
        members: Map<String, Value>,
        algorithm: JwsAlgorithm,
        key_id: String,
        expected: &Expected<'_>,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let issuer = issuer::named(&members, expected.issuers)?;
        check_audience(&members, expected)?;
        let subject = subject(&members)?;
        check_dates(&members, now.as_second())?;
        check_nonce(&members, expected)?;
        check_access_token_hash(&members, algorithm, expected)?;
        let auth_time = date(&members, "auth_time")?;
        check_freshness(auth_time, expected.pending, now.as_second())?;
        check_context(&members, expected.pending)?;
        Ok(Self {
            issuer,
            subject,
            auth_time,
            algorithm,
            key_id,
            members,
        })
    }

    /// Claims that nobody proved, for tests of what comes after the proof.
    #[cfg(test)]
    pub(crate) fn of_members(members: Map<String, Value>) -> Self {
        Self {
            issuer: String::new(),
            subject: String::new(),
            auth_time: None,
            algorithm: JwsAlgorithm::Rs256,
            key_id: String::new(),
            members,
        }
    }

    /// Whether the token lacks what a profile needs, as tokens do that come with an access token.
    pub(crate) fn is_thin(&self) -> bool {
        let has = |name: &str| self.members.get(name).is_some_and(Value::is_string);
        !has("email") || !(has("name") || has("given_name") || has("family_name"))
    }

    /// Adds claims of the user info. The token's own win; an address and the statement about it stay together.
    pub(crate) fn complete_with(&mut self, mut userinfo: Map<String, Value>) {
        let verified = userinfo.shift_remove("email_verified");
        match self.members.get("email") {
            Some(email) if userinfo.get("email") != Some(email) => {}
            Some(_) if self.members.contains_key("email_verified") => {}
            _ => {
                self.members.shift_remove("email_verified");
                if let Some(verified) = verified {
                    self.members.insert("email_verified".to_owned(), verified);
                }
            }
        }
        for (name, value) in userinfo {
            if !SIGNED_ONLY.contains(&name.as_str()) {
                self.members.entry(name).or_insert(value);
            }
        }
    }
}

/// Our client is an audience. Others beside it are accepted only where azp says that the token was issued to us
/// (OpenID Connect Core 3.1.3.7, steps 3 to 5).
fn check_audience(members: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), Refusal> {
    let audiences: Vec<&str> = match members.get("aud") {
        Some(Value::String(audience)) => vec![audience],
        Some(Value::Array(items)) => items
            .iter()
            .map(Value::as_str)
            .collect::<Option<_>>()
            .ok_or_else(|| malformed("aud"))?,
        _ => return Err(malformed("aud")),
    };
    if !audiences.contains(&expected.client_id) {
        return Err(OidcRefusal::AudienceMismatch
            .refuse()
            .expected(expected.client_id)
            .found(audiences.join(" ")));
    }
    let alone = audiences
        .iter()
        .all(|audience| *audience == expected.client_id);
    match text(members, "azp")? {
        Some(party) if party == expected.client_id => Ok(()),
        None if alone => Ok(()),
        other => Err(OidcRefusal::AzpMismatch
            .refuse()
            .expected(expected.client_id)
            .found(other.unwrap_or("no azp"))),
    }
}

/// Whether a text can name a person.
pub(crate) fn is_subject(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= SUBJECT_BYTES && is_plain(text)
}

fn subject(members: &Map<String, Value>) -> Result<String, Refusal> {
    let subject = members
        .get("sub")
        .and_then(Value::as_str)
        .filter(|subject| is_subject(subject));
    subject.map(str::to_owned).ok_or_else(|| {
        OidcRefusal::SubjectMissing
            .refuse()
            .expected("1 to 255 bytes")
    })
}

fn check_dates(members: &Map<String, Value>, now: i64) -> Result<(), Refusal> {
    let expires = date(members, "exp")?.ok_or_else(|| malformed("exp"))?;
    let issued = date(members, "iat")?.ok_or_else(|| malformed("iat"))?;
    if now >= expires + SKEW_SECONDS {
        return Err(OidcRefusal::Expired
            .refuse()
            .expected(format!("exp after {now}"))
            .found(expires));
    }
    if issued > now + SKEW_SECONDS {
        return Err(OidcRefusal::IssuedInFuture
            .refuse()
            .expected(format!("iat up to {now}"))
            .found(issued));
    }
    if let Some(time) = date(members, "auth_time")?.filter(|time| *time > now + SKEW_SECONDS) {
        return Err(OidcRefusal::IssuedInFuture
            .refuse()
            .expected(format!("auth_time up to {now}"))
            .found(time));
    }
    match date(members, "nbf")? {
        Some(from) if from > now + SKEW_SECONDS => Err(OidcRefusal::NotYetValid
            .refuse()
            .expected(format!("nbf up to {now}"))
            .found(from)),
        _ => Ok(()),
    }
}

fn check_nonce(members: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), Refusal> {
    match (text(members, "nonce")?, &expected.pending.nonce) {
        (Some(echoed), Some(sent)) if same(echoed, sent) => Ok(()),
        (None, _) if expected.nonce != Nonce::Required => Ok(()),
        (echoed, _) => {
            let found = if echoed.is_some() {
                "another"
            } else {
                "no nonce"
            };
            Err(OidcRefusal::NonceMismatch
                .refuse()
                .expected("the nonce of this login")
                .found(found))
        }
    }
}

/// What a login demands that only an ID token proves, where there is none.
///
/// # Errors
/// `oidc.authentication_too_old`, `oidc.acr_mismatch`
pub(crate) fn check_unproved(pending: &OauthPending, now: Timestamp) -> Result<(), Refusal> {
    check_freshness(None, pending, now.as_second())?;
    check_context(&Map::new(), pending)
}

/// The left half of the access token's hash (OpenID Connect Core 3.1.3.6), by the hash of the token's algorithm.
fn check_access_token_hash(
    members: &Map<String, Value>,
    algorithm: JwsAlgorithm,
    expected: &Expected<'_>,
) -> Result<(), Refusal> {
    let Some(claimed) = text(members, "at_hash")? else {
        return Ok(());
    };
    let (Scheme::RsaPkcs1(digest) | Scheme::RsaPss(digest) | Scheme::Ecdsa(digest)) =
        algorithm.scheme();
    let hash = digest.of(expected.access_token.as_bytes());
    let half = URL_SAFE_NO_PAD.encode(&hash[..hash.len() / 2]);
    if same(claimed, &half) {
        Ok(())
    } else {
        Err(OidcRefusal::AtHashMismatch.into())
    }
}

/// A forced sign-in happened after it was asked for; one of limited age is young enough now, or was made for this
/// very login, however long the person stayed at the provider.
fn check_freshness(
    auth_time: Option<i64>,
    pending: &OauthPending,
    now: i64,
) -> Result<(), Refusal> {
    let by_age = pending
        .max_age
        .map(|age| now.saturating_sub_unsigned(age).min(pending.issued_at));
    let by_force = pending.force.then_some(pending.issued_at);
    let Some(earliest) = by_age
        .max(by_force)
        .map(|time| time.saturating_sub(SKEW_SECONDS))
    else {
        return Ok(());
    };
    match auth_time {
        Some(time) if time >= earliest => Ok(()),
        other => {
            let found = other.map_or_else(|| "no auth_time".to_owned(), |time| time.to_string());
            Err(OidcRefusal::AuthenticationTooOld
                .refuse()
                .expected(format!("auth_time of {earliest} or later"))
                .found(found))
        }
    }
}

fn check_context(members: &Map<String, Value>, pending: &OauthPending) -> Result<(), Refusal> {
    let asked = &pending.acr_values;
    let stated = text(members, "acr")?;
    if asked.is_empty() || stated.is_some_and(|acr| asked.iter().any(|value| value == acr)) {
        return Ok(());
    }
    Err(OidcRefusal::AcrMismatch
        .refuse()
        .expected(asked.join(" "))
        .found(stated.unwrap_or("no acr")))
}

/// A string, or nothing; a claim of another type is malformed.
fn text<'m>(members: &'m Map<String, Value>, name: &str) -> Result<Option<&'m str>, Refusal> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(malformed(name)),
    }
}

/// A NumericDate in whole seconds; a fraction is dropped (RFC 7519 section 2).
fn date(members: &Map<String, Value>, name: &str) -> Result<Option<i64>, Refusal> {
    let value = match members.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value,
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the fraction is what is dropped; a cast of a float saturates"
    )]
    let seconds = value
        .as_i64()
        .or_else(|| value.as_f64().map(|seconds| seconds as i64));
    seconds
        .filter(|seconds| (0..=LAST_SECOND).contains(seconds))
        .map(Some)
        .ok_or_else(|| malformed(name))
}

/// Compares in a time that depends on the lengths only.
fn same(left: &str, right: &str) -> bool {
    left.len() == right.len() && memcmp::eq(left.as_bytes(), right.as_bytes())
}

fn malformed(claim: &str) -> Refusal {
    OidcRefusal::Malformed.refuse().expected(claim)
}
