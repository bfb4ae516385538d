//! An identity provider that publishes no metadata: its entityID, its address and its certificates, written as the
//! metadata that it would publish, so that everything after that knows one form.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fedgate_certs::error::CertError;
use fedgate_certs::trust::TrustedKey;

use super::MetadataRefusal;
use crate::error::Refusal;
use crate::saml::namespace::{METADATA, PROTOCOL, SIGNATURE};
use crate::saml::write::Escaped;

/// What an administrator reads off an identity provider's page.
#[derive(Clone, Copy, Debug)]
pub struct BareCertificates<'a> {
    /// Its entityID.
    pub entity_id: &'a str,
    /// Where browsers are sent.
    pub sign_in_url: &'a str,
    /// One or several PEM certificates, or the base64 of one.
    pub certificates: &'a str,
}

impl BareCertificates<'_> {
    /// The metadata that says the same.
    ///
    /// # Errors
    /// `metadata.key_weak`, `metadata.certificate_unusable`, `metadata.too_many_keys`.
    pub fn to_metadata(&self) -> Result<String, Refusal> {
        let keys = read(self.certificates).map_err(|error| match error {
            weak @ CertError::KeyTooWeak => MetadataRefusal::KeyWeak.refuse().detail(weak),
            CertError::TooManyKeys => MetadataRefusal::TooManyKeys.into(),
            other => MetadataRefusal::CertificateUnusable.refuse().detail(other),
        })?;
        let mut xml = format!(
            r#"<md:EntityDescriptor xmlns:md="{METADATA}" xmlns:ds="{SIGNATURE}" entityID="{}"><md:IDPSSODescriptor protocolSupportEnumeration="{PROTOCOL}">"#,
            Escaped(self.entity_id)
        );
        for key in &keys {
            let certificate = STANDARD.encode(&key.certificate_der);
            // Writing to a String cannot fail.
            let _ = write!(
                xml,
                r#"<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"#
            );
        }
        for binding in ["HTTP-Redirect", "HTTP-POST"] {
            let _ = write!(
                xml,
                r#"<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:{binding}" Location="{}"/>"#,
                Escaped(self.sign_in_url)
            );
        }
        xml.push_str("</md:IDPSSODescriptor></md:EntityDescriptor>");
        Ok(xml)
    }
}

fn read(certificates: &str) -> Result<Vec<TrustedKey>, CertError> {
    if certificates.contains("-----BEGIN") {
        TrustedKey::from_certificate_pem(certificates.as_bytes())
    } else {
        TrustedKey::from_certificate_base64(certificates).map(|key| vec![key])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saml::metadata::IdpMetadata;
    use crate::saml::test_signer::{certificate, ec_key};

    #[test]
    fn several_certificates_read_as_the_metadata_that_would_hold_them() {
        let pem = |key| String::from_utf8(certificate(key).to_pem().unwrap()).unwrap();
        let (one, two) = (ec_key(), ec_key());
        let bare = BareCertificates {
            entity_id: "urn:idp:<&\">",
            sign_in_url: "https://idp.example/sso?a=1&b=2",
            certificates: &format!("{}\n{}", pem(&one), pem(&two)),
        };
        let xml = bare.to_metadata().unwrap();
        let metadata = IdpMetadata::parse(xml.as_bytes(), None).unwrap();
        assert_eq!(metadata.entity_id, bare.entity_id);
        assert_eq!(metadata.trust.keys().len(), 2);
        assert_eq!(metadata.sso[1].1.as_str(), bare.sign_in_url);
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        let bare = BareCertificates {
            entity_id: "urn:idp",
            sign_in_url: "https://idp.example/sso",
            certificates: "MIIB",
        };
        let refusal = bare.to_metadata().unwrap_err();
        assert_eq!(refusal, MetadataRefusal::CertificateUnusable);
    }
}
