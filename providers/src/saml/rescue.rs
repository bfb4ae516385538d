//! Is a response worth reading its identity provider's keys anew for? It is not verified, and nothing of it is used:
//! this only keeps answers that could never be accepted from causing a fetch.

use fedgate_certs::trust::{Trust, TrustedKey};

use super::conditions::only_child;
use super::namespace::{ASSERTION, SIGNATURE};
use super::refusal::SamlRefusal;
use super::signature::WITHOUT_CERTIFICATE;
use super::xml::{Document, Element, Mode};
use crate::error::Refusal;

/// What a response must say of itself to be an answer to one login.
pub(super) struct Answered<'a> {
    pub(super) issuer: &'a str,
    pub(super) acs: &'a str,
    pub(super) request_id: &'a str,
}

/// Whether a verdict says that the key is none of the trusted ones: by its certificate, or because none came with it.
pub(super) fn is_unknown_key(refusal: &Refusal) -> bool {
    *refusal == SamlRefusal::KeyUnknown
        || (*refusal == SamlRefusal::SignatureInvalid
            && refusal.evidence().found.as_deref() == Some(WITHOUT_CERTIFICATE))
}

impl Answered<'_> {
    /// Whether a response names this login, this ACS and this identity provider, and no key that is trusted.
    pub(super) fn by(&self, xml: &[u8], trust: &Trust) -> bool {
        let Ok(document) = Document::parse(xml, Mode::Message) else {
            return false;
        };
        let response = document.root();
        let destination = response.attribute("Destination");
        response.attribute("InResponseTo") == Some(self.request_id)
            && destination.is_none_or(|destination| destination == self.acs)
            && self.is_issuer_of(response)
            && !carries(response, trust)
    }

    fn is_issuer_of(&self, response: Element<'_>) -> bool {
        let assertion = response.children_named(ASSERTION, "Assertion").next();
        let mut issuers = [Some(response), assertion]
            .into_iter()
            .flatten()
            .filter_map(|element| only_child(element, ASSERTION, "Issuer").ok().flatten())
            .peekable();
        issuers.peek().is_some() && issuers.all(|issuer| issuer.leaf() == Some(self.issuer))
    }
}

/// Whether every certificate in it is a trusted key's: then other keys would change nothing.
fn carries(response: Element<'_>, trust: &Trust) -> bool {
    let mut carried = response
        .descendants()
        .filter(|element| element.is(SIGNATURE, "X509Certificate"))
        .filter_map(|element| TrustedKey::from_certificate_base64(element.leaf()?).ok())
        .peekable();
    carried.peek().is_some() && carried.all(|key| trust.holds(&key.id))
}
