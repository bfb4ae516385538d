//! The waist of the hourglass: one verified, normalized identity, whatever the upstream was.

use fedgate_certs::Timestamp;

use crate::connection::ConnectionId;
use crate::released::Released;

/// Who signed in, as the upstream proved it. Only a provider's `complete` can make one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedIdentity {
    /// The connection that verified it: part of the person's key, since a tenant can name any issuer.
    pub connection: ConnectionId,
    /// The rest of the person's key. Never the e-mail address.
    pub subject: Subject,
    /// The address, with what the upstream claims about it.
    pub email: Option<Email>,
    /// Given name.
    pub given_name: Option<String>,
    /// Family name.
    pub family_name: Option<String>,
    /// Full name, as the upstream writes it.
    pub name: Option<String>,
    /// Picture URL (https only).
    pub picture: Option<String>,
    /// Group names or ids, in the upstream's order.
    pub groups: Vec<String>,
    /// Everything that the upstream released, by its own names, multi-valued, in its order.
    pub attributes: Released,
    /// When the person proved themselves upstream; only if the upstream said so in signed form.
    pub authenticated_at: Option<Timestamp>,
    /// Authentication context class; only if the upstream said so in signed form.
    pub acr: Option<String>,
    /// Authentication methods (RFC 8176), likewise.
    pub amr: Vec<String>,
    /// What a later logout needs.
    pub upstream_session: Option<UpstreamSession>,
    /// The mark that makes a second use of the same assertion impossible.
    pub replay: Option<ReplayMark>,
    /// The id of our key that the upstream encrypted for, if it did: which certificate it has picked up.
    pub decrypted_with: Option<String>,
    /// The keys that signed it, by [`fedgate_certs::trust::TrustedKey::id`]; none where the upstream's own key set
    /// decides. The sign-in looks whether one was revoked meanwhile.
    pub signed_by: Vec<[u8; 32]>,
}

#[cfg(feature = "unproven")]
impl VerifiedIdentity {
    /// An identity that nobody proved, for tests of what comes after the proof.
    pub fn unproven(connection: ConnectionId, subject: Subject) -> Self {
        Self {
            connection,
            subject,
            email: None,
            given_name: None,
            family_name: None,
            name: None,
            picture: None,
            groups: Vec::new(),
            attributes: Released::default(),
            authenticated_at: None,
            acr: None,
            amr: Vec::new(),
            upstream_session: None,
            replay: None,
            decrypted_with: None,
            signed_by: Vec::new(),
        }
    }
}

impl VerifiedIdentity {
    /// The full name as the upstream writes it, else given and family name: SAML identity providers seldom send one.
    pub fn full_name(&self) -> Option<String> {
        let composed = || {
            Some(format!(
                "{} {}",
                self.given_name.as_ref()?,
                self.family_name.as_ref()?
            ))
        };
        self.name.clone().or_else(composed)
    }
}

/// Issuer and subject: with the connection, the key of a person.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject {
    /// SAML: the IdP's entityID. OIDC: `iss`. OAuth 2.0: the provider's id and base URL.
    pub issuer: String,
    /// SAML: NameID (a persistent one with its qualifiers) or the chosen attribute. OIDC: `sub`.
    pub value: String,
}

/// An e-mail address and how much the upstream vouches for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    /// As the upstream wrote it.
    pub address: String,
    /// What the upstream says about its verification.
    pub claim: EmailClaim,
    /// Whether the upstream is the authority for that address's domain.
    pub authoritative: bool,
}

/// The upstream's own statement about an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EmailClaim {
    /// It says that it verified the address.
    Verified,
    /// It says that it did not.
    Unverified,
    /// It says nothing (SAML and WS-Federation never do).
    Unstated,
}

/// The upstream's session, kept with the login for a later logout.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct UpstreamSession {
    /// SAML: the NameID, verbatim.
    pub name_id: Option<String>,
    /// SAML: its Format.
    pub name_id_format: Option<String>,
    /// SAML: SessionIndex. OIDC: `sid`.
    pub session: Option<String>,
}

/// A unique key that must not be seen twice before `until`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayMark {
    /// SHA-256 over connection, issuer and assertion ID, each length-prefixed.
    pub key: [u8; 32],
    /// When the assertion would be refused as expired anyway.
    pub until: Timestamp,
}
