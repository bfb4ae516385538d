//! The documents that are measured, and who signs them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fedgate_certs::decryption::DecryptionKey;
use fedgate_certs::trust::{Trust, TrustedKey};
use openssl::pkey::{PKey, Private};
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding;
use openssl::symm::{Cipher, encrypt_aead};
use openssl::x509::X509;

use crate::test_signer::{self, SAML, SAMLP};

pub(crate) const ACS: &str = "https://sp.example/acs";
pub(crate) const AUDIENCE: &str = "https://sp.example/metadata";
pub(crate) const ISSUER: &str = "https://idp.example/metadata";
pub(crate) const REQUEST: &str = "_0123456789abcdef0123456789abcdef";
pub(crate) const NOW: &str = "2026-01-02T03:04:10Z";

/// The type that most products write on each value.
const TYPED: &str =
    " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"xs:string\"";
const CONTENT_KEY: [u8; 32] = [7; 32];

/// The identity provider's key and ours.
pub(crate) struct Keys {
    pub(crate) idp: PKey<Private>,
    pub(crate) sp: PKey<Private>,
    pub(crate) certificate: X509,
    pub(crate) trust: Trust,
    pub(crate) decryption: [DecryptionKey; 1],
}

impl Keys {
    pub(crate) fn fresh() -> Self {
        let (idp, sp) = (test_signer::rsa_key(), test_signer::rsa_key());
        let certificate = test_signer::certificate(&idp);
        let trusted = TrustedKey::from_certificate_der(&certificate.to_der().expect("DER"));
        Self {
            trust: Trust::new(vec![trusted.expect("a sound key")]).expect("one key"),
            decryption: [DecryptionKey::new(sp.clone()).expect("a sound key")],
            certificate,
            idp,
            sp,
        }
    }
}

pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) xml: String,
    /// The octets of each signature: what its digest covers.
    pub(crate) signed: Vec<String>,
    /// The key of the content, where it is encrypted.
    pub(crate) wrapped_key: Option<Vec<u8>>,
}

/// All documents: of 8 KB by who signed and how it is written, then by the number of values, then encrypted.
pub(crate) fn cases(keys: &Keys) -> Vec<Case> {
    let mut cases = Vec::new();
    for (style, wire) in [("canonical", false), ("as products write", true)] {
        for (what, ids) in [
            ("assertion", &["a1"][..]),
            ("response", &["r1"]),
            ("both", &["a1", "r1"]),
        ] {
            let name = format!("{what}, {style}");
            cases.push(case(name, &response(34, TYPED), ids, wire, keys));
        }
    }
    for values in [10, 100, 400, 1600] {
        let name = format!("assertion, {values} values");
        // 1,600 values with a type on each would be longer than a response may be.
        cases.push(case(name, &response(values, ""), &["a1"], true, keys));
    }
    for values in [34, 400] {
        let mut case = case(
            format!("encrypted, {values} values"),
            &response(values, TYPED),
            &["a1"],
            false,
            keys,
        );
        let (start, end) = test_signer::element_range(&case.xml, "a1");
        let wrapped = wrapped(&keys.sp);
        let encrypted = encrypted(&wrapped, &case.xml[start..end]);
        case.xml.replace_range(start..end, &encrypted);
        case.wrapped_key = Some(wrapped);
        cases.push(case);
    }
    cases
}

fn case(name: String, template: &str, ids: &[&str], wire: bool, keys: &Keys) -> Case {
    let form = test_signer::Form {
        certificate: Some(&keys.certificate),
        ..test_signer::Form::default()
    };
    let mut xml = template.to_owned();
    let mut signed = Vec::new();
    for id in ids {
        let (start, end) = test_signer::element_range(&xml, id);
        signed.push(xml[start..end].to_owned());
        xml = test_signer::sign_as(&xml, id, &keys.idp, &form);
    }
    if wire {
        xml = as_products_write(&xml);
    }
    Case {
        name,
        xml,
        signed,
        wrapped_key: None,
    }
}

/// The same document with what exclusive canonicalization takes away: unused declarations on every value,
/// empty-element tags, attributes in another order.
fn as_products_write(xml: &str) -> String {
    xml.replace(
        "<saml:AttributeValue xmlns:xsi=",
        "<saml:AttributeValue xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=",
    )
    .replace("\"></ds:Transform>", "\"/>")
    .replace("\"></ds:CanonicalizationMethod>", "\"/>")
    .replace("\"></ds:SignatureMethod>", "\"/>")
    .replace("\"></ds:DigestMethod>", "\"/>")
    .replace("\"></saml:SubjectConfirmationData>", "\"/>")
    .replace(
        "ID=\"a1\" IssueInstant=\"2026-01-02T03:04:05Z\" Version=\"2.0\"",
        "Version=\"2.0\" IssueInstant=\"2026-01-02T03:04:05Z\" ID=\"a1\"",
    )
}

/// A response with name and address, and that many groups with the XML attributes of each value.
fn response(values: usize, typed: &str) -> String {
    let value = |text: &str| format!("<saml:AttributeValue{typed}>{text}</saml:AttributeValue>");
    let attribute = |name: &str, values: &str| {
        format!(
            "<saml:Attribute Name=\"{name}\" NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:basic\">{values}</saml:Attribute>"
        )
    };
    let groups: Vec<_> = (0..values)
        .map(|i| value(&format!("{i:08x}-5d2a-4a3f-9c53-group")))
        .collect();
    let attributes = [
        attribute("email", &value("alice@example.com")),
        attribute("given_name", &value("Alice")),
        attribute("family_name", &value("Example")),
        attribute("groups", &groups.concat()),
    ];
    format!(
        "<samlp:Response {SAMLP} Destination=\"{ACS}\" ID=\"r1\" InResponseTo=\"{REQUEST}\" IssueInstant=\"2026-01-02T03:04:05Z\" Version=\"2.0\">\
         <saml:Issuer {SAML}>{ISSUER}</saml:Issuer>\
         <samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"></samlp:StatusCode></samlp:Status>\
         <saml:Assertion {SAML} ID=\"a1\" IssueInstant=\"2026-01-02T03:04:05Z\" Version=\"2.0\"><saml:Issuer>{ISSUER}</saml:Issuer>\
         <saml:Subject><saml:NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">8a2f4c1e-0001</saml:NameID>\
         <saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">\
         <saml:SubjectConfirmationData InResponseTo=\"{REQUEST}\" NotOnOrAfter=\"2026-01-02T03:09:00Z\" Recipient=\"{ACS}\"></saml:SubjectConfirmationData>\
         </saml:SubjectConfirmation></saml:Subject>\
         <saml:Conditions NotBefore=\"2026-01-02T03:04:00Z\" NotOnOrAfter=\"2026-01-02T03:09:05Z\">\
         <saml:AudienceRestriction><saml:Audience>{AUDIENCE}</saml:Audience></saml:AudienceRestriction></saml:Conditions>\
         <saml:AuthnStatement AuthnInstant=\"2026-01-02T03:04:00Z\" SessionIndex=\"_s1\" SessionNotOnOrAfter=\"2026-01-02T11:04:05Z\">\
         <saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport\
         </saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>\
         <saml:AttributeStatement>{}</saml:AttributeStatement></saml:Assertion></samlp:Response>",
        attributes.concat()
    )
}

fn wrapped(sp: &PKey<Private>) -> Vec<u8> {
    let mut context = PkeyCtx::new(sp).expect("a context");
    context.encrypt_init().expect("a context");
    context
        .set_rsa_padding(Padding::PKCS1_OAEP)
        .expect("a context");
    let mut wrapped = Vec::new();
    context
        .encrypt_to_vec(&CONTENT_KEY, &mut wrapped)
        .expect("wrapped");
    wrapped
}

fn encrypted(wrapped: &[u8], plain: &str) -> String {
    let (iv, mut tag) = ([1; 12], [0; 16]);
    let sealed = encrypt_aead(
        Cipher::aes_256_gcm(),
        &CONTENT_KEY,
        Some(&iv),
        b"",
        plain.as_bytes(),
        &mut tag,
    );
    let content = [&iv[..], &sealed.expect("sealed"), &tag].concat();
    let [key, content] = [STANDARD.encode(wrapped), STANDARD.encode(content)];
    format!(
        "<saml:EncryptedAssertion {SAML}>\
         <xenc:EncryptedData xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\">\
         <xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2009/xmlenc11#aes256-gcm\"/>\
         <ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><xenc:EncryptedKey>\
         <xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p\"/>\
         <xenc:CipherData><xenc:CipherValue>{key}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo>\
         <xenc:CipherData><xenc:CipherValue>{content}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>\
         </saml:EncryptedAssertion>"
    )
}
