//! From verified claims to the identity at the waist.

use fedgate_certs::Timestamp;
use serde_json::{Map, Value};

use super::claims::Claims;
use crate::connection::ConnectionId;
use crate::identity::{Email, EmailClaim, Subject, UpstreamSession, VerifiedIdentity};
use crate::released::Released;
use crate::saml::assertion::is_plain;

/// The longest name, group or other single value that is kept, in bytes; a longer one is dropped.
const VALUE_BYTES: usize = 1024;
/// The longest address that is kept, in bytes (RFC 5321 section 4.5.3.1.3, without the brackets).
const EMAIL_BYTES: usize = 254;
/// The most groups that are kept.
const GROUPS_MOST: usize = 1000;
/// The most other claims that are kept.
const ATTRIBUTES_MOST: usize = 64;
/// The most values of one other claim that are kept.
const VALUES_MOST: usize = 100;

/// Claims that have their own place, or belong to the protocol.
pub(crate) const PLACED: [&str; 23] = [
    "iss",
    "sub",
    "aud",
    "azp",
    "exp",
    "iat",
    "nbf",
    "jti",
    "nonce",
    "at_hash",
    "c_hash",
    "s_hash",
    "auth_time",
    "acr",
    "amr",
    "sid",
    "email",
    "email_verified",
    "given_name",
    "family_name",
    "name",
    "picture",
    "groups",
];

/// What is known of a person, under the names of OpenID Connect, whatever the provider calls it.
#[derive(Debug, Default)]
pub(crate) struct Profile {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    /// When the person proved themselves, in seconds since the epoch.
    pub(crate) auth_time: Option<i64>,
    /// Whether the provider is the authority for the address's domain.
    pub(crate) authoritative: bool,
    /// Every claim, by name.
    pub(crate) members: Map<String, Value>,
}

impl From<Claims> for Profile {
    fn from(claims: Claims) -> Self {
        Self {
            issuer: claims.issuer,
            subject: claims.subject,
            auth_time: claims.auth_time,
            authoritative: false,
            members: claims.members,
        }
    }
}

/// A boolean in the dresses that providers give it; `None` for anything else.
pub(crate) fn is_true(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(word) if word == "true" || word == "1" => Some(true),
        Value::String(word) if word == "false" || word == "0" => Some(false),
        Value::Number(number) => match number.as_u64() {
            Some(1) => Some(true),
            Some(0) => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Writes the identity.
pub(crate) fn identity(connection: &ConnectionId, profile: Profile) -> VerifiedIdentity {
    let text = |name: &str| {
        profile
            .members
            .get(name)
            .filter(|value| value.is_string())
            .and_then(kept)
    };
    VerifiedIdentity {
        connection: connection.clone(),
        email: email(&profile),
        given_name: text("given_name"),
        family_name: text("family_name"),
        name: text("name"),
        picture: text("picture").filter(|url| url.starts_with("https://")),
        groups: profile
            .members
            .get("groups")
            .map(|groups| values(groups, GROUPS_MOST))
            .unwrap_or_default(),
        attributes: attributes(&profile),
        authenticated_at: profile
            .auth_time
            .and_then(|seconds| Timestamp::from_second(seconds).ok()),
        acr: text("acr"),
        amr: profile
            .members
            .get("amr")
            .map(|methods| values(methods, VALUES_MOST))
            .unwrap_or_default(),
        upstream_session: Some(UpstreamSession {
            session: text("sid"),
            ..UpstreamSession::default()
        }),
        replay: None,
        decrypted_with: None,
        signed_by: Vec::new(),
        subject: Subject {
            issuer: profile.issuer,
            value: profile.subject,
        },
    }
}

/// The upstream's own statement is kept as it is; whether it counts is decided elsewhere.
fn email(profile: &Profile) -> Option<Email> {
    let address = profile
        .members
        .get("email")
        .and_then(kept)
        .filter(|address| is_address(address))?;
    let claim = match profile.members.get("email_verified").and_then(is_true) {
        Some(true) => EmailClaim::Verified,
        Some(false) => EmailClaim::Unverified,
        None => EmailClaim::Unstated,
    };
    Some(Email {
        address,
        claim,
        authoritative: profile.authoritative,
    })
}

fn is_address(text: &str) -> bool {
    let parts = text.rsplit_once('@');
    text.len() <= EMAIL_BYTES
        && is_plain(text)
        && !text.contains(char::is_whitespace)
        && parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
}

fn attributes(profile: &Profile) -> Released {
    let others = profile
        .members
        .iter()
        .filter(|(name, _)| !PLACED.contains(&name.as_str()) && name.len() <= VALUE_BYTES);
    let named = others.map(|(name, value)| (name.clone(), values(value, VALUES_MOST)));
    named
        .filter(|(_, values)| !values.is_empty())
        .take(ATTRIBUTES_MOST)
        .collect()
}

/// A claim as a list of texts.
fn values(value: &Value, most: usize) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().filter_map(kept).take(most).collect(),
        single => kept(single).into_iter().collect(),
    }
}

/// A value as text: structures as JSON. Nothing is kept of an empty, overlong or unprintable one.
fn kept(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    };
    let sound =
        !text.is_empty() && text.len() <= VALUE_BYTES && !text.chars().any(char::is_control);
    sound.then_some(text)
}
