//! Our own metadata, one document per connection.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fedgate_certs::certified_key::CertifiedKey;

use crate::connection::NameIdFormat;
use crate::saml::request::format_uri;
use crate::saml::write::Escaped;

/// How a message may be encrypted for us (SAML metadata 2.4.1.1): GCM before anything that an attacker can ask about, and
/// RSA-OAEP. Identity providers such as Shibboleth's take the first that they know.
const ENCRYPTION_METHODS: [&str; 5] = [
    "http://www.w3.org/2009/xmlenc11#aes256-gcm",
    "http://www.w3.org/2009/xmlenc11#aes192-gcm",
    "http://www.w3.org/2009/xmlenc11#aes128-gcm",
    "http://www.w3.org/2009/xmlenc11#rsa-oaep",
    "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
];

/// The service provider of one connection.
#[derive(Clone, Debug)]
pub struct ServiceProvider<'a> {
    /// Our entityID.
    pub entity_id: &'a str,
    /// Where responses go, by HTTP-POST.
    pub acs: &'a str,
    /// Where logout messages go.
    pub slo: Option<&'a str>,
    /// The NameID format that requests ask for.
    pub name_id_format: NameIdFormat,
    /// Whether every AuthnRequest is signed.
    pub signs_requests: bool,
    /// What our signatures are verified with.
    pub signing: Vec<CertifiedKey>,
    /// What assertions are encrypted for; none while nothing can be decrypted.
    pub encryption: Vec<CertifiedKey>,
}

impl ServiceProvider<'_> {
    /// The EntityDescriptor with its SPSSODescriptor, its children in the order of the schema (SAML metadata 2.4.1, 2.4.2 and 2.4.4).
    pub fn to_xml(&self) -> String {
        let mut xml = format!(
            r#"<?xml version="1.0" encoding="UTF-8"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="{}">
  <md:SPSSODescriptor AuthnRequestsSigned="{}" WantAssertionsSigned="true" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
"#,
            Escaped(self.entity_id),
            self.signs_requests,
        );
        for key in &self.signing {
            write_key(&mut xml, "signing", key, &[]);
        }
        for key in &self.encryption {
            write_key(&mut xml, "encryption", key, &ENCRYPTION_METHODS);
        }
        self.write_services(&mut xml);
        xml.push_str("  </md:SPSSODescriptor>\n</md:EntityDescriptor>\n");
        xml
    }

    fn write_services(&self, xml: &mut String) {
        for binding in self.slo.iter().flat_map(|_| ["HTTP-Redirect", "HTTP-POST"]) {
            let _ = writeln!(
                xml,
                r#"    <md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:{binding}" Location="{}"/>"#,
                Escaped(self.slo.unwrap_or_default())
            );
        }
        if let Some(format) = format_uri(self.name_id_format) {
            let _ = writeln!(xml, "    <md:NameIDFormat>{format}</md:NameIDFormat>");
        }
        let _ = writeln!(
            xml,
            r#"    <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{}" index="0" isDefault="true"/>"#,
            Escaped(self.acs)
        );
    }
}

fn write_key(xml: &mut String, usage: &str, key: &CertifiedKey, methods: &[&str]) {
    let certificate = STANDARD.encode(key.certificate_der());
    let _ = writeln!(
        xml,
        r#"    <md:KeyDescriptor use="{usage}">
      <ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"#
    );
    for method in methods {
        let _ = writeln!(xml, r#"      <md:EncryptionMethod Algorithm="{method}"/>"#);
    }
    xml.push_str("    </md:KeyDescriptor>\n");
}
