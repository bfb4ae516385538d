//! Our own metadata, one document per connection.

use std::fmt::Write as _;

use crate::connection::NameIdFormat;
use crate::saml::request::format_uri;
use crate::saml::write::Escaped;

/// The SPSSODescriptor of one connection.
///
/// It has no KeyDescriptor: nothing is signed with a key of ours, and nothing can be decrypted.
pub fn service_provider_metadata(
    entity_id: &str,
    acs: &str,
    slo: Option<&str>,
    name_id_format: NameIdFormat,
) -> String {
    let mut xml = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{}">
  <md:SPSSODescriptor AuthnRequestsSigned="false" WantAssertionsSigned="true" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
"#,
        Escaped(entity_id)
    );
    // The order of the schema: logout, formats, consumer services (SAML metadata 2.4.2 and 2.4.4).
    if let Some(slo) = slo {
        for binding in ["HTTP-Redirect", "HTTP-POST"] {
            let _ = writeln!(
                xml,
                r#"    <md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:{binding}" Location="{}"/>"#,
                Escaped(slo)
            );
        }
    }
    if let Some(format) = format_uri(name_id_format) {
        let _ = writeln!(xml, "    <md:NameIDFormat>{format}</md:NameIDFormat>");
    }
    let _ = write!(
        xml,
        r#"    <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{}" index="0" isDefault="true"/>
  </md:SPSSODescriptor>
</md:EntityDescriptor>
"#,
        Escaped(acs)
    );
    xml
}
