//! Reading AuthnRequests (SAML core 3.4.1) from the Redirect and POST bindings.

pub(super) mod signature;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use miniz_oxide::inflate::decompress_to_vec_with_limit;

use crate::markup::{self, Tag};

/// The largest request, inflated, in bytes.
pub const INFLATED_BYTES: usize = 64 * 1024;

/// What a service provider asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthnRequest {
    /// Its ID.
    pub id: String,
    /// Where the answer goes.
    pub acs: String,
    /// Who asks: the audience of the answer.
    pub issuer: String,
    /// Whether the person must sign in anew.
    pub force: bool,
    /// The NameID format that is asked for.
    pub name_id_format: Option<String>,
    /// Who is expected to sign in.
    pub subject: Option<String>,
    /// The first authentication context that is asked for.
    pub context: Option<String>,
}

impl AuthnRequest {
    /// Reads the `SAMLRequest` of a query, already percent-decoded: base64 of raw DEFLATE.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub fn from_redirect(field: &str) -> Result<Self, String> {
        let deflated = decoded(field)?;
        let octets = decompress_to_vec_with_limit(&deflated, INFLATED_BYTES)
            .map_err(|error| format!("SAMLRequest cannot be inflated: {error}"))?;
        Self::from_octets(octets)
    }

    /// Reads the `SAMLRequest` of a form: base64.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub fn from_post(field: &str) -> Result<Self, String> {
        Self::from_octets(decoded(field)?)
    }

    /// The document of a form's `SAMLRequest`.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub fn document(field: &str) -> Result<String, String> {
        String::from_utf8(decoded(field)?).map_err(|_| "SAMLRequest is not UTF-8".to_owned())
    }

    fn from_octets(octets: Vec<u8>) -> Result<Self, String> {
        if octets.len() > INFLATED_BYTES {
            return Err(format!("SAMLRequest is larger than {INFLATED_BYTES} bytes"));
        }
        let xml = String::from_utf8(octets).map_err(|_| "SAMLRequest is not UTF-8".to_owned())?;
        Self::from_xml(&xml)
    }

    fn from_xml(xml: &str) -> Result<Self, String> {
        let tags = markup::tags(xml);
        let first = |name: &str| tags.iter().find(|tag| tag.local_name() == name);
        let request = first("AuthnRequest").ok_or("this is not an AuthnRequest")?;
        let issuer = first("Issuer").map(|tag| tag.text.clone());
        Ok(Self {
            id: required(request, "ID")?,
            acs: required(request, "AssertionConsumerServiceURL")?,
            issuer: issuer.ok_or("the AuthnRequest has no Issuer")?,
            force: matches!(request.attribute("ForceAuthn"), Some("true" | "1")),
            name_id_format: first("NameIDPolicy")
                .and_then(|tag| tag.attribute("Format"))
                .map(str::to_owned),
            subject: first("NameID").map(|tag| tag.text.clone()),
            context: first("AuthnContextClassRef").map(|tag| tag.text.clone()),
        })
    }
}

fn decoded(field: &str) -> Result<Vec<u8>, String> {
    let dense: String = field.split_ascii_whitespace().collect();
    STANDARD
        .decode(dense)
        .map_err(|error| format!("SAMLRequest is not base64: {error}"))
}

fn required(tag: &Tag, name: &str) -> Result<String, String> {
    let value = tag.attribute(name).filter(|value| !value.is_empty());
    value
        .map(str::to_owned)
        .ok_or_else(|| format!("the AuthnRequest has no {name}"))
}

#[cfg(test)]
mod tests {
    use miniz_oxide::deflate::compress_to_vec;

    use super::*;

    const XML: &str = r#"<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_1" ForceAuthn="true"
        AssertionConsumerServiceURL="http://127.0.0.1/acs?a=1&amp;b=2"><saml:Issuer xmlns:saml="x">urn:sp</saml:Issuer>
        <samlp:RequestedAuthnContext><saml:AuthnContextClassRef>urn:mfa</saml:AuthnContextClassRef></samlp:RequestedAuthnContext></samlp:AuthnRequest>"#;

    #[test]
    fn both_bindings_read_the_same_request() {
        let redirect =
            AuthnRequest::from_redirect(&STANDARD.encode(compress_to_vec(XML.as_bytes(), 6)))
                .unwrap();
        assert_eq!(
            redirect,
            AuthnRequest::from_post(&STANDARD.encode(XML)).unwrap()
        );
        assert_eq!(redirect.acs, "http://127.0.0.1/acs?a=1&b=2");
        assert_eq!((redirect.issuer.as_str(), redirect.force), ("urn:sp", true));
        assert_eq!(redirect.context.as_deref(), Some("urn:mfa"));
    }

    #[test]
    fn a_bomb_is_not_inflated() {
        let bomb = compress_to_vec(&vec![b' '; 10 * INFLATED_BYTES], 9);
        assert!(
            AuthnRequest::from_redirect(&STANDARD.encode(bomb))
                .unwrap_err()
                .contains("inflated")
        );
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for field in ["", "*", "PGEvPg=="] {
            assert!(AuthnRequest::from_post(field).is_err());
            assert!(AuthnRequest::from_redirect(field).is_err());
        }
    }
}
