//! Writing XML in exclusive canonical form: namespaces where they are first used, attributes in order, nothing
//! self-closed, and the escapes of canonical XML 1.0, 2.3.

use jiff::Timestamp;

/// Text of an element.
pub(super) fn text(value: &str) -> String {
    value
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\r', "&#xD;")
}

/// Value of an attribute.
pub(super) fn attribute(value: &str) -> String {
    value
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
        .replace('\t', "&#x9;")
        .replace('\n', "&#xA;")
        .replace('\r', "&#xD;")
}

/// An xs:dateTime in UTC with milliseconds, as most products write it.
pub(super) fn date_time(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// Removes the first element of that name with all that it holds.
pub(super) fn without_element(xml: &str, name: &str) -> String {
    match element(xml, name) {
        Some(found) => xml.replacen(found, "", 1),
        None => xml.to_owned(),
    }
}

/// Writes the first element of that name twice.
pub(super) fn doubled(xml: &str, name: &str) -> String {
    match element(xml, name) {
        Some(found) => xml.replacen(found, &format!("{found}{found}"), 1),
        None => xml.to_owned(),
    }
}

/// Removes the first attribute of that name.
pub(super) fn without_attribute(xml: &str, name: &str) -> String {
    let start = format!(" {name}=\"");
    let Some((head, tail)) = xml.split_once(&start) else {
        return xml.to_owned();
    };
    let rest = tail.split_once('"').map_or("", |(_, rest)| rest);
    format!("{head}{rest}")
}

/// The metadata of an identity provider that signs with one certificate.
pub(super) fn metadata(
    entity_id: &str,
    sso_url: &str,
    certificates: &[String],
    wants_signed: bool,
) -> String {
    let mut keys = String::new();
    for certificate in certificates {
        keys += "\n    <md:KeyDescriptor use=\"signing\">\n      <ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:X509Data><ds:X509Certificate>";
        keys += certificate;
        keys += "</ds:X509Certificate></ds:X509Data></ds:KeyInfo>\n    </md:KeyDescriptor>";
    }
    let (entity_id, sso_url) = (attribute(entity_id), attribute(sso_url));
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{entity_id}">
  <md:IDPSSODescriptor WantAuthnRequestsSigned="{wants_signed}" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{keys}
    <md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</md:NameIDFormat>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{sso_url}"/>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{sso_url}"/>
  </md:IDPSSODescriptor>
</md:EntityDescriptor>
"#
    )
}

fn element<'x>(xml: &'x str, name: &str) -> Option<&'x str> {
    let start = xml
        .find(&format!("<{name} "))
        .into_iter()
        .chain(xml.find(&format!("<{name}>")))
        .min()?;
    let end_tag = format!("</{name}>");
    let end = xml.get(start..)?.find(&end_tag)? + start + end_tag.len();
    xml.get(start..end)
}
