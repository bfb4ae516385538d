//! Signs test messages by construction, without this crate's canonicalization.
//!
//! Templates are written in canonical form already: every element that is to be signed declares the
//! namespaces it uses itself, attributes stand in canonical order, nothing is self-closed. Its canonical form
//! is then the text itself, so that a mistake of the verifier cannot hide in the signer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::hash::{MessageDigest, hash};
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use openssl::x509::{X509, X509NameBuilder};

/// Namespace declarations of the test messages.
pub(crate) const SAMLP: &str = r#"xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol""#;
pub(crate) const SAML: &str = r#"xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion""#;
const DS: &str = r#"xmlns:ds="http://www.w3.org/2000/09/xmldsig#""#;

/// How a test message is signed; [`Form::default`] is what the verifier accepts.
#[derive(Clone)]
pub(crate) struct Form<'f> {
    /// The identifier written for the signature; the signature itself follows the key and `hash`.
    pub(crate) signature_method: Option<&'f str>,
    pub(crate) digest_method: &'f str,
    pub(crate) hash: MessageDigest,
    /// The certificate to carry in KeyInfo.
    pub(crate) certificate: Option<&'f X509>,
    /// What is changed in SignedInfo before it is signed.
    pub(crate) edit: fn(&str) -> String,
}

impl Default for Form<'_> {
    fn default() -> Self {
        Self {
            signature_method: None,
            digest_method: "http://www.w3.org/2001/04/xmlenc#sha256",
            hash: MessageDigest::sha256(),
            certificate: None,
            edit: str::to_owned,
        }
    }
}

/// A new P-256 key: much faster to make than an RSA one.
pub(crate) fn ec_key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

/// A new RSA key of 2,048 bits.
pub(crate) fn rsa_key() -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap()
}

/// A self-signed certificate around a key.
pub(crate) fn certificate(key: &PKey<Private>) -> X509 {
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", "idp.example").unwrap();
    let name = name.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder
        .set_serial_number(&BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap())
        .unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_pubkey(key).unwrap();
    builder
        .set_not_before(&Asn1Time::from_unix(1_700_000_000).unwrap())
        .unwrap();
    builder
        .set_not_after(&Asn1Time::from_unix(2_000_000_000).unwrap())
        .unwrap();
    builder.sign(key, MessageDigest::sha256()).unwrap();
    builder.build()
}

/// Signs the element with that ID; the signature goes behind its Issuer, or first without one.
pub(crate) fn sign(xml: &str, id: &str, key: &PKey<Private>) -> String {
    sign_as(xml, id, key, &Form::default())
}

/// Like [`sign`], in another form.
pub(crate) fn sign_as(xml: &str, id: &str, key: &PKey<Private>, form: &Form<'_>) -> String {
    let (start, end) = element_range(xml, id);
    let element = &xml[start..end];
    let signature = signature_for(element, id, key, form);
    let behind_issuer = element
        .find("</saml:Issuer>")
        .map(|at| at + "</saml:Issuer>".len());
    let at = start + behind_issuer.unwrap_or_else(|| element.find('>').unwrap() + 1);
    format!("{}{signature}{}", &xml[..at], &xml[at..])
}

/// The signature over an element in canonical form.
pub(crate) fn signature_for(
    element: &str,
    id: &str,
    key: &PKey<Private>,
    form: &Form<'_>,
) -> String {
    let digest = STANDARD.encode(hash(form.hash, element.as_bytes()).unwrap());
    let method = form.signature_method.unwrap_or(match key.id() {
        Id::EC => "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
        _ => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    });
    let c14n = "http://www.w3.org/2001/10/xml-exc-c14n#";
    let signed_info = (form.edit)(&format!(
        "<ds:SignedInfo {DS}>\
         <ds:CanonicalizationMethod Algorithm=\"{c14n}\"></ds:CanonicalizationMethod>\
         <ds:SignatureMethod Algorithm=\"{method}\"></ds:SignatureMethod>\
         <ds:Reference URI=\"#{id}\"><ds:Transforms>\
         <ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Transform>\
         <ds:Transform Algorithm=\"{c14n}\"></ds:Transform></ds:Transforms>\
         <ds:DigestMethod Algorithm=\"{}\"></ds:DigestMethod>\
         <ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>",
        form.digest_method
    ));
    let value = STANDARD.encode(signature_value(signed_info.as_bytes(), key, form.hash));
    // Inside the Signature the declaration would not be canonical: it is inherited there.
    let signed_info = signed_info.replacen(&format!(" {DS}"), "", 1);
    let key_info = form.certificate.map_or(String::new(), |certificate| {
        let der = STANDARD.encode(certificate.to_der().unwrap());
        format!(
            "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{der}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
        )
    });
    format!(
        "<ds:Signature {DS}>{signed_info}<ds:SignatureValue>{value}</ds:SignatureValue>{key_info}</ds:Signature>"
    )
}

/// A signature of the key's kind; ECDSA as r‖s in the width of P-256 (XML Signature 1.1 6.4.3).
fn signature_value(octets: &[u8], key: &PKey<Private>, digest: MessageDigest) -> Vec<u8> {
    if let Ok(ec) = key.ec_key() {
        let signature = EcdsaSig::sign(&hash(digest, octets).unwrap(), &ec).unwrap();
        let mut value = signature.r().to_vec_padded(32).unwrap();
        value.extend(signature.s().to_vec_padded(32).unwrap());
        return value;
    }
    let mut signer = Signer::new(digest, key).unwrap();
    signer.sign_oneshot_to_vec(octets).unwrap()
}

/// Where the element with that ID begins and ends; it must not hold another of its own name.
pub(crate) fn element_range(xml: &str, id: &str) -> (usize, usize) {
    let attribute = xml
        .find(&format!(" ID=\"{id}\""))
        .expect("an element with that ID");
    let start = xml[..attribute].rfind('<').unwrap();
    let name = xml[start + 1..].split([' ', '>']).next().unwrap();
    let end_tag = format!("</{name}>");
    let end = start + xml[start..].find(&end_tag).expect("its end tag") + end_tag.len();
    (start, end)
}

/// A Response `r1` with an assertion `a1` about `name_id`, unsigned and in canonical form.
pub(crate) fn response(name_id: &str) -> String {
    format!(
        "<samlp:Response {SAMLP} ID=\"r1\" IssueInstant=\"2026-01-02T03:04:05Z\" Version=\"2.0\">\
         <saml:Issuer {SAML}>https://idp.example</saml:Issuer>\
         <samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"></samlp:StatusCode>\
         </samlp:Status>{}</samlp:Response>",
        assertion("a1", name_id)
    )
}

/// An assertion in canonical form.
pub(crate) fn assertion(id: &str, name_id: &str) -> String {
    format!(
        "<saml:Assertion {SAML} ID=\"{id}\" IssueInstant=\"2026-01-02T03:04:05Z\" Version=\"2.0\">\
         <saml:Issuer>https://idp.example</saml:Issuer>\
         <saml:Subject><saml:NameID>{name_id}</saml:NameID></saml:Subject></saml:Assertion>"
    )
}
