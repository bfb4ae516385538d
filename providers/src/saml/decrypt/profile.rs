//! The one form of encryption that is accepted, read by position (XML Encryption 1.1; SAML core 2.3.4 and 6).

use fedgate_certs::decryption::{AesKey, ContentCipher, Oaep};
use fedgate_certs::public_key::Digest;

use crate::error::Refusal;
use crate::saml::decode::base64_leaf;
use crate::saml::namespace::{ENCRYPTION, ENCRYPTION_11, SIGNATURE};
use crate::saml::refusal::SamlRefusal;
use crate::saml::xml::Element;

const ELEMENT: &str = "http://www.w3.org/2001/04/xmlenc#Element";
const ENCRYPTED_KEY: &str = "http://www.w3.org/2001/04/xmlenc#EncryptedKey";
const OAEP_MGF1P: &str = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";
const OAEP: &str = "http://www.w3.org/2009/xmlenc11#rsa-oaep";

const CIPHERS: [(&str, ContentCipher); 6] = [
    (
        "http://www.w3.org/2009/xmlenc11#aes128-gcm",
        ContentCipher::Gcm(AesKey::Bits128),
    ),
    (
        "http://www.w3.org/2009/xmlenc11#aes192-gcm",
        ContentCipher::Gcm(AesKey::Bits192),
    ),
    (
        "http://www.w3.org/2009/xmlenc11#aes256-gcm",
        ContentCipher::Gcm(AesKey::Bits256),
    ),
    (
        "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
        ContentCipher::Cbc(AesKey::Bits128),
    ),
    (
        "http://www.w3.org/2001/04/xmlenc#aes192-cbc",
        ContentCipher::Cbc(AesKey::Bits192),
    ),
    (
        "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
        ContentCipher::Cbc(AesKey::Bits256),
    ),
];
const DIGESTS: [(&str, Digest); 2] = [
    ("http://www.w3.org/2000/09/xmldsig#sha1", Digest::Sha1),
    ("http://www.w3.org/2001/04/xmlenc#sha256", Digest::Sha256),
];
const MASKS: [(&str, Digest); 2] = [
    ("http://www.w3.org/2009/xmlenc11#mgf1sha1", Digest::Sha1),
    ("http://www.w3.org/2009/xmlenc11#mgf1sha256", Digest::Sha256),
];

/// What an EncryptedAssertion says in the clear.
pub(super) struct Profile {
    pub(super) cipher: ContentCipher,
    pub(super) oaep: Oaep,
    pub(super) wrapped_key: Vec<u8>,
    /// Initialization vector, cipher text, tag.
    pub(super) sealed: Vec<u8>,
}

impl Profile {
    /// Reads an EncryptedAssertion: one EncryptedData, and one EncryptedKey inside it or beside it.
    pub(super) fn read(encrypted: Element<'_>) -> Result<Self, Refusal> {
        let mut children = encrypted.children();
        let data = only(&mut children, "EncryptedData", encrypted)?;
        let beside = children.next();
        if let Some(more) = children.next() {
            return Err(form("one EncryptedKey", more));
        }
        check_type(data, ELEMENT)?;
        let [method, key_info, cipher_data] = parts(data)?;
        let key = encrypted_key(key_info, beside, data)?;
        check_type(key, ENCRYPTED_KEY)?;
        let [key_method, _, key_data] = parts(key)?;
        let method = method.ok_or_else(|| form("an EncryptionMethod", data))?;
        let key_method = key_method.ok_or_else(|| form("an EncryptionMethod", key))?;
        Ok(Self {
            cipher: cipher(method)?,
            oaep: oaep(key_method)?,
            wrapped_key: octets(key_data, key)?,
            sealed: octets(cipher_data, data)?,
        })
    }
}

/// `saml.encryption_algorithm`
pub(super) fn algorithm(expected: &str, found: &str) -> Refusal {
    SamlRefusal::EncryptionAlgorithm
        .refuse()
        .expected(expected)
        .found(found)
}

/// `saml.encryption_profile`
fn form(expected: &str, at: Element<'_>) -> Refusal {
    SamlRefusal::EncryptionProfile
        .refuse()
        .expected(expected)
        .found(at.local_name())
        .detail(format_args!("at byte {}", at.position()))
}

fn only<'d>(
    children: &mut impl Iterator<Item = Element<'d>>,
    name: &str,
    parent: Element<'d>,
) -> Result<Element<'d>, Refusal> {
    let child = children.next().filter(|child| child.is(ENCRYPTION, name));
    child.ok_or_else(|| form(name, parent))
}

/// SAML core 2.3.4: Type, if present, is that of an element. That of a key says what the element's name says.
fn check_type(element: Element<'_>, expected: &str) -> Result<(), Refusal> {
    match element.attribute("Type") {
        Some(found) if found != expected => Err(form(expected, element)),
        _ => Ok(()),
    }
}

/// EncryptionMethod, KeyInfo and CipherData of an `EncryptedType`, in the order of the schema (XML Encryption 1.1 section
/// 3.1). Of what may follow, a key's ReferenceList and CarriedKeyName say nothing that is used here.
fn parts(element: Element<'_>) -> Result<[Option<Element<'_>>; 3], Refusal> {
    let order = [
        (ENCRYPTION, "EncryptionMethod"),
        (SIGNATURE, "KeyInfo"),
        (ENCRYPTION, "CipherData"),
    ];
    let mut parts = [None; 3];
    let mut rest = element.children().peekable();
    for (part, (namespace, name)) in parts.iter_mut().zip(order) {
        *part = rest.next_if(|child| child.is(namespace, name));
    }
    let is_key = element.local_name() == "EncryptedKey";
    let unused = |child: &Element<'_>| {
        is_key && (child.is(ENCRYPTION, "ReferenceList") || child.is(ENCRYPTION, "CarriedKeyName"))
    };
    match rest.find(|child| !unused(child)) {
        Some(more) => Err(form("EncryptionMethod, KeyInfo, CipherData", more)),
        None => Ok(parts),
    }
}

/// The one EncryptedKey: inside the data's KeyInfo, or beside the data. A RetrievalMethod may point at the one beside,
/// as Okta and OpenSAML write it, and at nothing else: it is compared, never followed (XML Encryption 1.1 section 3.5.2).
fn encrypted_key<'d>(
    key_info: Option<Element<'d>>,
    beside: Option<Element<'d>>,
    data: Element<'d>,
) -> Result<Element<'d>, Refusal> {
    let mut retrieval = None;
    let mut keys = beside.into_iter().collect::<Vec<_>>();
    for child in key_info.into_iter().flat_map(Element::children) {
        if child.is(ENCRYPTION, "EncryptedKey") {
            keys.push(child);
        } else if child.is(SIGNATURE, "RetrievalMethod") && retrieval.replace(child).is_some() {
            return Err(form("one RetrievalMethod", child));
        }
    }
    let key = match keys.as_slice() {
        [key] => *key,
        [] => return Err(form("an EncryptedKey", data)),
        [_, more, ..] => return Err(form("one EncryptedKey", *more)),
    };
    if !key.is(ENCRYPTION, "EncryptedKey") {
        return Err(form("EncryptedKey", key));
    }
    match retrieval {
        Some(pointer) if beside.is_none() || !points_at(pointer, key) => {
            Err(form("the EncryptedKey beside it", pointer))
        }
        _ => Ok(key),
    }
}

fn points_at(pointer: Element<'_>, key: Element<'_>) -> bool {
    let target = pointer
        .attribute("URI")
        .and_then(|uri| uri.strip_prefix('#'));
    target.is_some_and(|target| !target.is_empty() && key.attribute("Id") == Some(target))
        && matches!(pointer.attribute("Type"), None | Some(ENCRYPTED_KEY))
        && pointer.children().next().is_none()
}

fn cipher(method: Element<'_>) -> Result<ContentCipher, Refusal> {
    if let Some(parameter) = method.children().next() {
        return Err(form("an EncryptionMethod without parameters", parameter));
    }
    named(method, &CIPHERS, "AES-128-GCM, AES-192-GCM or AES-256-GCM")
}

/// RSA-OAEP. In its older form the mask function is MGF1 with SHA-1 (XML Encryption 1.1 section 5.5.2).
fn oaep(method: Element<'_>) -> Result<Oaep, Refusal> {
    let name = method.attribute("Algorithm").unwrap_or_default();
    if !matches!(name, OAEP_MGF1P | OAEP) {
        return Err(algorithm("RSA-OAEP", name));
    }
    let (mut digest, mut mask) = (None, None);
    for parameter in method.children() {
        let slot = if parameter.is(SIGNATURE, "DigestMethod") {
            &mut digest
        } else if parameter.is(ENCRYPTION_11, "MGF") && name == OAEP {
            &mut mask
        } else {
            return Err(form("DigestMethod or MGF", parameter));
        };
        if slot.replace(parameter).is_some() {
            return Err(form("each parameter once", parameter));
        }
    }
    let or_sha1 = |parameter: Option<Element<'_>>, names: &[(&str, Digest)]| match parameter {
        Some(parameter) => named(parameter, names, "SHA-1 or SHA-256"),
        None => Ok(Digest::Sha1),
    };
    Ok(Oaep {
        digest: or_sha1(digest, &DIGESTS)?,
        mask: or_sha1(mask, &MASKS)?,
    })
}

fn named<T: Copy>(element: Element<'_>, names: &[(&str, T)], expected: &str) -> Result<T, Refusal> {
    let found = element.attribute("Algorithm").unwrap_or_default();
    let known = names.iter().find(|(name, _)| *name == found);
    known
        .map(|(_, value)| *value)
        .ok_or_else(|| algorithm(expected, found))
}

/// The octets of the one CipherValue; a CipherReference would be fetched.
fn octets(cipher_data: Option<Element<'_>>, parent: Element<'_>) -> Result<Vec<u8>, Refusal> {
    let data = cipher_data.ok_or_else(|| form("CipherData", parent))?;
    let mut children = data.children();
    let value = only(&mut children, "CipherValue", data)?;
    if let Some(more) = children.next() {
        return Err(form("one CipherValue", more));
    }
    let octets = value.leaf().and_then(base64_leaf);
    octets.ok_or_else(|| form("base64", value))
}
