//! A connection: one configured upstream, as an operator or a tenant described it.

mod domain;
mod options;
mod reader;
mod refusal;
mod setting;
mod signing;
mod upstream;

pub use domain::{domain_of_address, normalized_address, normalized_domain};
pub use options::METADATA_BYTES;
pub use refusal::{ConnectionRefusal, Problem};
pub use signing::LEGACY_DAYS;
pub use upstream::{ALIASES, is_reserved_parameter};

use std::collections::BTreeMap;
use std::fmt;

use fedgate_certs::hex;
use fedgate_certs::trust::SignatureAlgorithm;
use jiff::civil::Date;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::spec::{KeyAttribute, Spec};

/// `conn_` and 32 hex digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ConnectionId(String);

impl ConnectionId {
    /// A fresh id.
    pub fn random(rng: &mut dyn CryptoRng) -> Self {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        Self(hex::with_prefix("conn_", &bytes))
    }

    /// Reads an id; `None` unless it is `conn_` and 32 lower-case hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.strip_prefix("conn_")?;
        let sound = hex.len() == 32 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        sound.then(|| Self(text.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a connection may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// May lack anything; nobody can sign in through it.
    Draft,
    /// Validated whole when it was activated.
    Active,
    /// Switched off by a person.
    Disabled,
}

impl Status {
    /// The word in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }

    /// Reads [`Status::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Draft, Self::Active, Self::Disabled]
            .into_iter()
            .find(|status| status.as_str() == text)
    }
}

/// A connection with its typed options. `spec` holds its vendor's habits.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// Grows by one at each change: the key of every cache.
    pub version: i64,
    /// Internal name.
    pub name: String,
    /// What people read on its button.
    pub display_name: String,
    /// The vendor's habits; `spec.strategy` is `saml:okta` and the like.
    pub spec: &'static Spec,
    /// Whether it may be used.
    pub status: Status,
    /// The organization whose people come through it.
    pub organization_code: Option<String>,
    /// Its settings.
    pub options: Options,
}

/// Settings of a connection. Names in JSON are Kinde's.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Settings that every strategy has.
    pub common: CommonOptions,
    /// Settings of its protocol.
    pub protocol: ProtocolOptions,
}

/// Settings that every strategy has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the switches are Kinde's, one by one"
)]
pub struct CommonOptions {
    /// `home_realm_domains`: lower-case, without a leading `@`.
    pub home_realm_domains: Vec<String>,
    /// `is_force_show_sso_button`: show a button although domains route here.
    pub is_force_show_sso_button: bool,
    /// `is_create_missing_user`: just-in-time provisioning. On by default, as in Kinde's self-serve portal
    /// (its other pages name no default): a person's key holds the connection, so nobody else's user is reached.
    pub is_create_missing_user: bool,
    /// `is_trusted`: its addresses may count as verified.
    pub is_trusted: bool,
    /// `is_auto_join_organization_enabled`: a sign-in makes the person a member of the connection's own
    /// organization. On by default, as in Kinde's self-serve portal.
    pub is_auto_join_organization_enabled: bool,
    /// `is_sync_user_profile_on_login`: names follow the upstream.
    pub is_sync_user_profile_on_login: bool,
    /// `is_use_custom_domain`: Kinde's choice of host. Kept and returned; the URLs are always those of the host
    /// that a login is on.
    pub is_use_custom_domain: bool,
    /// `upstream_params`: name sent upstream, and where its value comes from.
    pub upstream_params: BTreeMap<String, UpstreamParam>,
}

impl Default for CommonOptions {
    fn default() -> Self {
        Self {
            home_realm_domains: Vec::new(),
            is_force_show_sso_button: false,
            is_create_missing_user: true,
            is_trusted: false,
            is_auto_join_organization_enabled: true,
            is_sync_user_profile_on_login: false,
            is_use_custom_domain: false,
            upstream_params: BTreeMap::new(),
        }
    }
}

/// Where the value of an upstream parameter comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpstreamParam {
    /// Always this value.
    Value(String),
    /// The login's own value of that name: `login_hint`, `prompt`, `ui_locales`, `acr_values`, `max_age`.
    Alias(String),
}

/// Settings by protocol.
#[derive(Clone, Debug, PartialEq)]
pub enum ProtocolOptions {
    /// `saml:*`
    Saml(SamlOptions),
    /// `oidc:*` and `oauth2:*`
    Oauth(OauthOptions),
}

/// SAML settings.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SamlOptions {
    /// `saml_entity_id`: our entityID towards this IdP; made up when absent.
    pub entity_id: String,
    /// `saml_idp_metadata_url`
    pub idp_metadata_url: Option<String>,
    /// `saml_idp_metadata_xml`: wins over the URL.
    pub idp_metadata_xml: Option<String>,
    /// `saml_idp_certificates`: one or several PEM certificates, for an identity provider without metadata.
    pub idp_certificates: Option<String>,
    /// `saml_idp_entity_id`: its entityID, beside certificates.
    pub idp_entity_id: Option<String>,
    /// `saml_sign_in_url`: wins over the metadata's SingleSignOnService.
    pub sign_in_url: Option<String>,
    /// `protocol_binding` of the AuthnRequest.
    pub protocol_binding: Binding,
    /// `name_id_format`
    pub name_id_format: NameIdFormat,
    /// `saml_email_key_attr`
    pub email_key_attr: Option<String>,
    /// `saml_user_id_key_attr`: names the subject instead of NameID.
    pub user_id_key_attr: Option<String>,
    /// `saml_first_name_key_attr`
    pub first_name_key_attr: Option<String>,
    /// `saml_last_name_key_attr`
    pub last_name_key_attr: Option<String>,
    /// `saml_signature_policy`: which signatures must be there.
    pub signature_policy: SignaturePolicy,
    /// `saml_clock_skew_seconds`: 0 to 300.
    pub clock_skew_seconds: u32,
    /// `saml_allow_aes_cbc`: AES-CBC is decrypted, as AD FS and Entra send it. For as long as nothing better is to be had.
    pub allow_aes_cbc: bool,
    /// `saml_sign_requests`: whether AuthnRequests are signed; absent: where an algorithm or a pair is named here, or the
    /// identity provider's metadata wants it.
    pub sign_requests: Option<bool>,
    /// `sign_request_algorithm`; absent: SHA-256 for an RSA key, the curve's own size for an elliptic one.
    pub sign_request_algorithm: Option<SignatureAlgorithm>,
    /// `saml_legacy_sha1_until`: the last day of RSA-SHA1, in UTC.
    pub legacy_sha1_until: Option<Date>,
    /// `saml_signing_certificate`: PEM; with its key, takes the place of the gateway's own pair.
    pub signing_certificate: Option<String>,
    /// `saml_signing_private_key`: PEM, write-only.
    pub signing_private_key: Option<Secret>,
}

impl SamlOptions {
    /// The attribute that this connection names by an option, where it does.
    pub fn key_attribute(&self, option: KeyAttribute) -> Option<&str> {
        let name = match option {
            KeyAttribute::SamlEmailKeyAttr => &self.email_key_attr,
            KeyAttribute::SamlFirstNameKeyAttr => &self.first_name_key_attr,
            KeyAttribute::SamlLastNameKeyAttr => &self.last_name_key_attr,
        };
        name.as_deref().filter(|name| !name.is_empty())
    }
}

/// How the AuthnRequest travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
pub enum Binding {
    /// `HTTP-REDIRECT`
    #[default]
    #[serde(rename = "HTTP-REDIRECT")]
    Redirect,
    /// `HTTP-POST`
    #[serde(rename = "HTTP-POST")]
    Post,
}

/// NameIDPolicy Format to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
pub enum NameIdFormat {
    /// `Unspecified`
    #[default]
    Unspecified,
    /// `Email address`
    #[serde(rename = "Email address")]
    EmailAddress,
    /// `Persistent`
    Persistent,
    /// `Transient`
    Transient,
}

/// Which signatures a response must carry. Every signature that is there must verify in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SignaturePolicy {
    /// `any`: one that covers the assertion, its own or the response's.
    #[default]
    Any,
    /// `assertion_signed`
    Assertion,
    /// `response_signed`
    Response,
    /// `both`
    Both,
}

/// OAuth 2.0 and OpenID Connect settings.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct OauthOptions {
    /// `issuer`: discovery is read from it.
    pub issuer: Option<String>,
    /// `client_id`
    pub client_id: Option<String>,
    /// `client_secret`: write-only.
    pub client_secret: Option<Secret>,
    /// `previous_client_secret`: tried where the provider does not take the other one; write-only. A secret that is
    /// entered over another leaves that one here.
    pub previous_client_secret: Option<Secret>,
    /// `client_secret_expires_at`: its last day at the provider, in UTC; nothing is refused for it, it is foretold.
    pub client_secret_expires_at: Option<Date>,
    /// `client_auth_method`: `client_secret_basic` or `client_secret_post`; absent: what discovery offers.
    pub client_auth_method: Option<ClientAuthMethod>,
    /// `scopes`; the spec's when empty.
    pub scopes: Vec<String>,
    /// `private_key`: signs the client secret where the provider wants one so; PEM, write-only.
    pub private_key: Option<Secret>,
    /// The options that the spec adds, by name; those that are set.
    pub settings: BTreeMap<String, serde_json::Value>,
}

/// How our client authenticates at a token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuthMethod {
    /// HTTP Basic.
    Basic,
    /// In the body.
    Post,
    /// Not at all: a public client, which PKCE alone protects.
    Public,
}

/// A secret that never shows itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The secret itself, for sealing or sending.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests;
