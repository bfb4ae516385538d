//! AuthnRequest (SAML core 3.4.1), signed or not, and the two bindings that carry it (SAML bindings 3.4 and 3.5).

mod parameters;
mod send;
mod sign;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use fedgate_certs::Timestamp;
use url::Url;

use super::namespace::{ASSERTION, PROTOCOL};
use super::write::{CanonicalAttribute, CanonicalText, date_time};
use crate::connection::NameIdFormat;
use crate::login::Login;

pub(super) use parameters::Parameters;
pub use parameters::SUBJECT_PARAMETER;
pub(super) use send::Message;
pub use sign::signs_requests;
pub(super) use sign::{RequestSigner, Signing};

/// The most `acr_values` that are asked for; OpenID Connect lists them in order of preference.
pub const MAX_CONTEXTS: usize = 10;

/// One AuthnRequest before it is written.
pub(super) struct AuthnRequest<'a> {
    /// The login that it starts; its handle names the request.
    pub(super) login: &'a Login,
    /// Our entityID.
    pub(super) sp_entity_id: &'a str,
    /// Where the response is to go.
    pub(super) acs: &'a str,
    /// The IdP's SingleSignOnService.
    pub(super) destination: &'a Url,
    /// The Format to ask for.
    pub(super) name_id_format: NameIdFormat,
    /// Who is expected to sign in.
    pub(super) subject: Option<&'a str>,
    /// Authentication contexts, at most [`MAX_CONTEXTS`].
    pub(super) contexts: &'a [String],
}

/// A request in exclusive canonical form, which is what is signed; its signature's place is between the halves.
pub(super) struct Written {
    /// Up to the Issuer's end.
    pub(super) head: String,
    /// What follows.
    pub(super) tail: String,
    /// Its ID.
    pub(super) id: String,
}

impl Written {
    /// The request, unsigned.
    pub(super) fn to_xml(&self) -> String {
        format!("{}{}", self.head, self.tail)
    }

    /// The request with a Signature in its place, behind the Issuer (SAML core 3.2.1).
    pub(super) fn with_signature(&self, signature: &str) -> String {
        format!("{}{signature}{}", self.head, self.tail)
    }
}

impl AuthnRequest<'_> {
    /// Writes the request in exclusive canonical form: attributes by name, each prefix declared where it is first used, no
    /// empty-element tags (Exclusive XML Canonicalization 2.4, Canonical XML 1.0 2.3).
    pub(super) fn written(&self, now: Timestamp) -> Written {
        let id = self.login.handle.to_request_id();
        // Where a freshness is asked for, an identity provider that keeps a session says nothing about it otherwise.
        let force = if self.login.force() || self.login.max_age.is_some() {
            r#" ForceAuthn="true""#
        } else {
            ""
        };
        let head = format!(
            r#"<samlp:AuthnRequest xmlns:samlp="{PROTOCOL}" AssertionConsumerServiceURL="{}" Destination="{}"{force} ID="{id}" IssueInstant="{}" ProtocolBinding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Version="2.0"><saml:Issuer xmlns:saml="{ASSERTION}">{}</saml:Issuer>"#,
            CanonicalAttribute(self.acs),
            CanonicalAttribute(self.destination.as_str()),
            date_time(now),
            CanonicalText(self.sp_entity_id),
        );
        let mut tail = String::new();
        self.write_subject(&mut tail);
        tail.push_str(&name_id_policy(self.name_id_format));
        self.write_contexts(&mut tail);
        tail.push_str("</samlp:AuthnRequest>");
        Written { head, tail, id }
    }

    fn write_subject(&self, xml: &mut String) {
        let Some(subject) = self.subject else { return };
        let format = format_uri(self.name_id_format)
            .map_or(String::new(), |uri| format!(r#" Format="{uri}""#));
        let _ = write!(
            xml,
            r#"<saml:Subject xmlns:saml="{ASSERTION}"><saml:NameID{format}>{}</saml:NameID></saml:Subject>"#,
            CanonicalText(subject)
        );
    }

    fn write_contexts(&self, xml: &mut String) {
        if self.contexts.is_empty() {
            return;
        }
        xml.push_str(r#"<samlp:RequestedAuthnContext Comparison="exact">"#);
        for context in self.contexts {
            let _ = write!(
                xml,
                r#"<saml:AuthnContextClassRef xmlns:saml="{ASSERTION}">{}</saml:AuthnContextClassRef>"#,
                CanonicalText(context)
            );
        }
        xml.push_str("</samlp:RequestedAuthnContext>");
    }
}

fn name_id_policy(format: NameIdFormat) -> String {
    // Without a policy the IdP sends what it has configured; `unspecified` is an error to some.
    let Some(uri) = format_uri(format) else {
        return String::new();
    };
    // AllowCreate must not be used with transient identifiers (SAML core 3.4.1.1, erratum E14).
    let create = if format == NameIdFormat::Transient {
        ""
    } else {
        r#" AllowCreate="true""#
    };
    format!(r#"<samlp:NameIDPolicy{create} Format="{uri}"></samlp:NameIDPolicy>"#)
}

/// The URI of a Format (SAML core 8.3); `None` for the unspecified one.
pub(super) fn format_uri(format: NameIdFormat) -> Option<&'static str> {
    match format {
        NameIdFormat::Unspecified => None,
        NameIdFormat::EmailAddress => {
            Some("urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress")
        }
        NameIdFormat::Persistent => Some("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"),
        NameIdFormat::Transient => Some("urn:oasis:names:tc:SAML:2.0:nameid-format:transient"),
    }
}
