//! The body by which a key comes: made here, or brought.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fedgate_certs::certified_key::CertifiedKey;
use fedgate_certs::error::CertError;
use fedgate_certs::generate::KeyShape;
use fedgate_certs::import::{PKCS12_BYTES, from_pkcs12};
use fedgate_certs::keyring::KeyPurpose;
use fedgate_certs::public_key::KeyKind;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::ApiRefusal;
use super::body::Members;

/// The longest PEM text, in bytes.
const PEM_BYTES: usize = 32 * 1024;
/// The longest password of a PKCS#12 file, in bytes.
const PASSWORD_BYTES: usize = 1024;

const PURPOSES: [&str; 3] = [
    KeyPurpose::Tokens.as_str(),
    KeyPurpose::SamlSigning.as_str(),
    KeyPurpose::SamlDecryption.as_str(),
];
const SHAPES: [&str; 3] = [
    KeyShape::Rsa2048.as_str(),
    KeyShape::Rsa3072.as_str(),
    KeyShape::P256.as_str(),
];

/// What is asked for.
pub(super) struct NewKey {
    pub(super) purpose: KeyPurpose,
    pub(super) material: Material,
}

/// Where the key comes from.
pub(super) enum Material {
    /// It is made here.
    Made(KeyShape),
    /// A private key and its certificate, in PEM.
    Pem(Zeroizing<String>, String),
    /// A PKCS#12 file and its password.
    Pkcs12(Zeroizing<Vec<u8>>, Zeroizing<String>),
}

impl Material {
    /// Reads what was brought; none where it is to be made. It may stretch a password: not for an async thread.
    ///
    /// # Errors
    /// What keeps it from being used.
    pub(super) fn read(&self) -> Result<Option<CertifiedKey>, CertError> {
        let pair = match self {
            Self::Made(_) => return Ok(None),
            Self::Pem(key, certificate) => {
                CertifiedKey::from_pem(key.as_bytes(), certificate.as_bytes())?
            }
            Self::Pkcs12(file, password) => from_pkcs12(file, password)?,
        };
        // Nobody encrypts for an elliptic key, and not every identity provider verifies one.
        if matches!(pair.kind(), KeyKind::Ec { .. }) {
            return Err(CertError::UnsupportedKey);
        }
        Ok(Some(pair))
    }
}

/// Reads the body. What it answers counts where no member was refused.
pub(super) fn read(members: &mut Members<'_>) -> NewKey {
    let purpose = members.choice("purpose", &PURPOSES);
    members.require("purpose");
    let purpose = purpose
        .and_then(KeyPurpose::from_name)
        .unwrap_or(KeyPurpose::Tokens);
    let shape = members
        .choice("kind", &SHAPES)
        .and_then(KeyShape::from_name);
    let key = text(members, "private_key", PEM_BYTES, true).map(Zeroizing::new);
    let certificate = text(members, "certificate", PEM_BYTES, false);
    let file = text(members, "pkcs12", PKCS12_BYTES * 4 / 3 + 4, true).map(Zeroizing::new);
    let password = text(members, "password", PASSWORD_BYTES, true).map(Zeroizing::new);
    if shape == Some(KeyShape::P256) && purpose != KeyPurpose::Tokens {
        refuse(
            members,
            "kind",
            "RSA-2048 | RSA-3072, since identity providers decide what they verify",
        );
    }
    let brought = key.is_some() || certificate.is_some() || file.is_some();
    // Whoever brings a key knows it: one that signs tokens would give him every right at this API.
    if brought && purpose == KeyPurpose::Tokens {
        refuse(
            members,
            "purpose",
            "saml_signing | saml_decryption; keys that sign tokens are made here alone",
        );
    }
    if brought && shape.is_some() {
        refuse(members, "kind", "no kind beside a key that is brought");
    }
    let material = match (key, certificate, file) {
        (None, None, None) => Material::Made(shape.unwrap_or_default()),
        (Some(key), Some(certificate), None) => Material::Pem(key, certificate),
        (None, None, Some(file)) => {
            Material::Pkcs12(octets(members, &file), password.unwrap_or_default())
        }
        (_, _, Some(_)) => {
            refuse(
                members,
                "pkcs12",
                "one of pkcs12, and private_key with certificate",
            );
            Material::Made(KeyShape::default())
        }
        (key, _, None) => {
            let absent = if key.is_some() {
                "certificate"
            } else {
                "private_key"
            };
            refuse(
                members,
                absent,
                "one of pkcs12, and private_key with certificate",
            );
            Material::Made(KeyShape::default())
        }
    };
    NewKey { purpose, material }
}

fn octets(members: &mut Members<'_>, text: &str) -> Zeroizing<Vec<u8>> {
    let compact: Zeroizing<String> =
        Zeroizing::new(text.chars().filter(|c| !c.is_ascii_whitespace()).collect());
    let octets = STANDARD.decode(compact.as_bytes());
    if octets.is_err() {
        refuse(members, "pkcs12", "base64");
    }
    Zeroizing::new(octets.unwrap_or_default())
}

fn refuse(members: &mut Members<'_>, name: &'static str, expected: &str) {
    members.refuse(ApiRefusal::MemberValue.refuse().expected(expected), name);
}

/// A text of any lines; blank is absent. A secret is never read back.
fn text(
    members: &mut Members<'_>,
    name: &'static str,
    most: usize,
    is_secret: bool,
) -> Option<String> {
    members.note(name, || {
        let mut schema = json!({ "type": ["string", "null"], "maxLength": most });
        if is_secret {
            schema["writeOnly"] = json!(true);
        }
        schema
    });
    match members.value(name)? {
        Value::String(text) if text.len() > most => {
            refuse(members, name, &format!("at most {most} bytes"));
            None
        }
        Value::String(text) => (!text.trim().is_empty()).then(|| text.clone()),
        _ => {
            members.refuse(ApiRefusal::MemberType.refuse().expected("a string"), name);
            None
        }
    }
}
