//! Signs templates with keys that this process makes for itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fedgate_certs::trust::{Trust, TrustedKey};
use fedgate_providers::saml::c14n::canonicalize;
use fedgate_providers::saml::xml::{Document, Element, Mode};
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::hash::{MessageDigest, hash};
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer as OneSignature;
use openssl::x509::{X509, X509NameBuilder};

use crate::document::{DIGEST, VALUE};

const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const MORE: &str = "http://www.w3.org/2001/04/xmldsig-more#";

/// Signature methods of elliptic curves: some thirty times faster than RSA, so that they are chosen most.
pub const ECDSA: [&str; 3] = [
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
];
/// Signature methods of RSA.
pub const RSA: [&str; 3] = [
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
];

/// An identity provider's keys, and the trust in them.
#[derive(Clone, Debug)]
pub struct Signer {
    rsa: PKey<Private>,
    elliptic: PKey<Private>,
    /// Their certificates, as a service provider trusts them.
    pub trust: Trust,
}

impl Signer {
    /// New keys: RSA of 2,048 bits, and P-256.
    pub fn fresh() -> Self {
        let rsa = PKey::from_rsa(Rsa::generate(2048).expect("a key")).expect("a key");
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("a curve");
        let elliptic = PKey::from_ec_key(EcKey::generate(&group).expect("a key")).expect("a key");
        let keys = [&rsa, &elliptic].map(|key| {
            let der = certificate(key).to_der().expect("DER");
            TrustedKey::from_certificate_der(&der).expect("a sound key")
        });
        Self {
            trust: Trust::new(keys.into()).expect("two keys"),
            rsa,
            elliptic,
        }
    }

    /// Fills in digests and signatures, the assertion's first since the Response's covers it. What cannot be signed any
    /// more, being broken, stays as it is.
    pub fn sign(&self, template: &str) -> String {
        let mut xml = template.to_owned();
        for of in 0..2 {
            if let Some(signed) = self.sign_one(&xml, of) {
                xml = signed;
            }
        }
        xml
    }

    fn sign_one(&self, template: &str, of: usize) -> Option<String> {
        let document = Document::parse(template.as_bytes(), Mode::Message).ok()?;
        let value = leaf_of(&document, "DigestValue", DIGEST[of])?;
        let reference = value.parent()?;
        let signature = reference.parent()?.parent()?;
        let element = signature.parent()?;
        let transform = reference.child(DS, "Transforms")?.children().last();
        let mut octets = Vec::new();
        canonicalize(element, Some(signature), &prefixes(transform), &mut octets);
        let method = reference.child(DS, "DigestMethod")?;
        let digest = hash(digest_of(method.attribute("Algorithm")?), &octets).ok()?;
        let xml = with_leaf(template, value.position(), &STANDARD.encode(digest))?;

        let document = Document::parse(xml.as_bytes(), Mode::Message).ok()?;
        let value = leaf_of(&document, "SignatureValue", VALUE[of])?;
        let signed_info = value.parent()?.child(DS, "SignedInfo")?;
        let method = signed_info.child(DS, "CanonicalizationMethod");
        octets.clear();
        canonicalize(signed_info, None, &prefixes(method), &mut octets);
        let method = signed_info.child(DS, "SignatureMethod")?;
        let signature = self.signature(method.attribute("Algorithm")?, &octets);
        with_leaf(&xml, value.position(), &STANDARD.encode(signature))
    }

    fn signature(&self, method: &str, octets: &[u8]) -> Vec<u8> {
        let name = method.strip_prefix(MORE).unwrap_or_default();
        let digest = match name.rsplit('-').next() {
            Some("sha384") => MessageDigest::sha384(),
            Some("sha512") => MessageDigest::sha512(),
            _ => MessageDigest::sha256(),
        };
        if name.starts_with("rsa") {
            let mut signer = OneSignature::new(digest, &self.rsa).expect("a signer");
            return signer.sign_oneshot_to_vec(octets).expect("a signature");
        }
        let key = self.elliptic.ec_key().expect("a key");
        let signed =
            EcdsaSig::sign(&hash(digest, octets).expect("a digest"), &key).expect("a signature");
        let mut value = signed.r().to_vec_padded(32).expect("an integer");
        value.extend(signed.s().to_vec_padded(32).expect("an integer"));
        value
    }
}

fn leaf_of<'d>(document: &'d Document<'d>, local: &str, text: &str) -> Option<Element<'d>> {
    let mut elements = document.root().descendants();
    elements.find(|element| element.is(DS, local) && element.leaf() == Some(text))
}

/// The prefix list of a canonicalization.
fn prefixes(canonicalization: Option<Element<'_>>) -> Vec<&str> {
    let list = canonicalization
        .and_then(|element| element.child(EXCLUSIVE, "InclusiveNamespaces"))
        .and_then(|namespaces| namespaces.attribute("PrefixList"));
    list.unwrap_or_default().split_ascii_whitespace().collect()
}

fn digest_of(uri: &str) -> MessageDigest {
    match uri {
        "http://www.w3.org/2001/04/xmldsig-more#sha384" => MessageDigest::sha384(),
        "http://www.w3.org/2001/04/xmlenc#sha512" => MessageDigest::sha512(),
        _ => MessageDigest::sha256(),
    }
}

/// Writes another text into the leaf that begins there; its tag has no `>` in an attribute.
fn with_leaf(xml: &str, position: usize, text: &str) -> Option<String> {
    let start = position + xml.get(position..)?.find('>')? + 1;
    let end = start + xml.get(start..)?.find('<')?;
    if xml[..start].ends_with("/>") {
        return None;
    }
    Some(format!("{}{text}{}", &xml[..start], &xml[end..]))
}

fn certificate(key: &PKey<Private>) -> X509 {
    let mut name = X509NameBuilder::new().expect("a name");
    name.append_entry_by_text("CN", "idp.test").expect("a name");
    let name = name.build();
    let mut builder = X509::builder().expect("a certificate");
    let serial = BigNum::from_u32(1).and_then(|one| one.to_asn1_integer());
    builder.set_version(2).expect("a version");
    builder
        .set_serial_number(&serial.expect("a number"))
        .expect("a number");
    builder.set_subject_name(&name).expect("a name");
    builder.set_issuer_name(&name).expect("a name");
    builder.set_pubkey(key).expect("a key");
    let (from, until) = (
        Asn1Time::from_unix(1_700_000_000),
        Asn1Time::from_unix(2_000_000_000),
    );
    builder
        .set_not_before(&from.expect("a time"))
        .expect("a time");
    builder
        .set_not_after(&until.expect("a time"))
        .expect("a time");
    builder
        .sign(key, MessageDigest::sha256())
        .expect("a signature");
    builder.build()
}
