//! Enveloped signatures over text that is its own canonical form (XML-DSig 1.1; exclusive canonicalization 1.0).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::error::ErrorStack;
use openssl::hash::{MessageDigest, hash};

use super::draft::Draft;
use super::lie::{in_assertion, in_response};
use super::{Lie, Signed};
use crate::key::LabKey;

const CANONICAL: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const DS: &str = "http://www.w3.org/2000/09/xmldsig#";

/// The response with the signatures that honesty or the lie asks for.
pub(super) fn signed(
    draft: &Draft,
    lie: Lie,
    honest: Signed,
    key: &LabKey,
) -> Result<String, ErrorStack> {
    let (sign_response, sign_assertion) = lie.signs(honest);
    let profile = Profile::new(lie, key);
    let mut assertion = String::new();
    if draft.holds_assertion(lie) {
        assertion = in_assertion(lie, draft.assertion());
        if sign_assertion {
            assertion = profile.sign(&assertion, &draft.assertion_id, key)?;
        }
    }
    match lie {
        Lie::Encrypted => assertion = encrypted("http://www.w3.org/2009/xmlenc11#aes256-gcm"),
        Lie::EncryptedCbc => assertion = encrypted("http://www.w3.org/2001/04/xmlenc#aes256-cbc"),
        _ => {}
    }
    let response = in_response(lie, draft.response(&assertion));
    if sign_response {
        return profile.sign(&response, &draft.response_id, key);
    }
    Ok(response)
}

/// An encrypted assertion that nobody can open: its key is as long as that of an RSA-2048 pair, and nobody's.
fn encrypted(cipher: &str) -> String {
    let key = STANDARD.encode([0; 256]);
    format!(
        "<saml:EncryptedAssertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">\
         <xenc:EncryptedData xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\" Type=\"http://www.w3.org/2001/04/xmlenc#Element\">\
         <xenc:EncryptionMethod Algorithm=\"{cipher}\"></xenc:EncryptionMethod>\
         <ds:KeyInfo xmlns:ds=\"{DS}\"><xenc:EncryptedKey>\
         <xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p\"></xenc:EncryptionMethod>\
         <xenc:CipherData><xenc:CipherValue>{key}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo>\
         <xenc:CipherData><xenc:CipherValue>AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=</xenc:CipherValue></xenc:CipherData>\
         </xenc:EncryptedData></saml:EncryptedAssertion>"
    )
}

struct Profile {
    digest: MessageDigest,
    digest_method: &'static str,
    signature_method: &'static str,
    more_transforms: &'static str,
}

impl Profile {
    fn new(lie: Lie, key: &LabKey) -> Self {
        let old = lie == Lie::Sha1;
        let (digest, digest_method) = if old {
            (
                MessageDigest::sha1(),
                "http://www.w3.org/2000/09/xmldsig#sha1",
            )
        } else {
            (
                MessageDigest::sha256(),
                "http://www.w3.org/2001/04/xmlenc#sha256",
            )
        };
        let signature_method = match (old, key.is_elliptic()) {
            (false, false) => "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
            (false, true) => "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
            (true, false) => "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
            (true, true) => "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1",
        };
        let more_transforms = match lie {
            Lie::ExtraTransform => {
                "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\">\
                 <ds:XPath>true()</ds:XPath></ds:Transform>"
            }
            _ => "",
        };
        Self {
            digest,
            digest_method,
            signature_method,
            more_transforms,
        }
    }

    /// Signs an element that is in canonical form; the signature goes behind its Issuer (SAML core 5.4), or first.
    fn sign(&self, element: &str, id: &str, key: &LabKey) -> Result<String, ErrorStack> {
        let digest = STANDARD.encode(hash(self.digest, element.as_bytes())?);
        let content = format!(
            "<ds:CanonicalizationMethod Algorithm=\"{CANONICAL}\"></ds:CanonicalizationMethod>\
             <ds:SignatureMethod Algorithm=\"{}\"></ds:SignatureMethod>\
             <ds:Reference URI=\"#{id}\"><ds:Transforms>\
             <ds:Transform Algorithm=\"{ENVELOPED}\"></ds:Transform>{}\
             <ds:Transform Algorithm=\"{CANONICAL}\"></ds:Transform></ds:Transforms>\
             <ds:DigestMethod Algorithm=\"{}\"></ds:DigestMethod>\
             <ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>",
            self.signature_method, self.more_transforms, self.digest_method,
        );
        // As the apex of its canonical form SignedInfo declares the prefix itself; inside Signature it must not,
        // or else the Response around it would not be canonical.
        let octets = format!("<ds:SignedInfo xmlns:ds=\"{DS}\">{content}");
        let value = STANDARD.encode(key.sign(self.digest, octets.as_bytes())?);
        let certificate = key.certificate_base64()?;
        let signature = format!(
            "<ds:Signature xmlns:ds=\"{DS}\"><ds:SignedInfo>{content}<ds:SignatureValue>{value}</ds:SignatureValue>\
             <ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>\
             </ds:Signature>"
        );
        let at = place(element);
        Ok(format!("{}{signature}{}", &element[..at], &element[at..]))
    }
}

fn place(element: &str) -> usize {
    const ISSUER: &str = "</saml:Issuer>";
    let start = element.find('>').map_or(0, |at| at + 1);
    let first_child_is_issuer = element[start..].starts_with("<saml:Issuer");
    let behind = element.find(ISSUER).map(|at| at + ISSUER.len());
    behind.filter(|_| first_child_is_issuer).unwrap_or(start)
}
