//! Metadata for the tests of this folder.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;

use super::IdpMetadata;
use crate::saml::test_signer::certificate;

/// An identity provider's document in the making.
#[derive(Clone)]
pub(crate) struct Described {
    pub(crate) entity_id: String,
    pub(crate) sign_in: String,
    pub(crate) attributes: String,
    certificates: Vec<String>,
}

impl Described {
    pub(crate) fn with(keys: &[PKey<Private>]) -> Self {
        let certificate = |key| STANDARD.encode(certificate(key).to_der().unwrap());
        Self {
            entity_id: "https://idp.example".to_owned(),
            sign_in: "https://idp.example/sso".to_owned(),
            attributes: String::new(),
            certificates: keys.iter().map(certificate).collect(),
        }
    }

    pub(crate) fn xml(&self) -> String {
        let mut keys = String::new();
        for certificate in &self.certificates {
            keys +=
                r#"<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>"#;
            keys += certificate;
            keys += "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>";
        }
        format!(
            r#"<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="{}" {}><md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{keys}<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{}"/></md:IDPSSODescriptor></md:EntityDescriptor>"#,
            self.entity_id, self.attributes, self.sign_in
        )
    }

    pub(crate) fn read(&self) -> IdpMetadata {
        IdpMetadata::parse(self.xml().as_bytes(), None).unwrap()
    }
}

pub(crate) fn rsa_key() -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap()
}
