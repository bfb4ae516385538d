//! Decryption of an assertion: from its cipher text and our private keys to octets that nobody has vouched for yet.
//!
//! The cipher text comes from whoever posts a form, so that this is a machine which strangers may feed. What is not of
//! the accepted form is refused before a private key is used, by what stands in the clear. After that every failure is
//! one and the same refusal, up to the tag of AES-GCM: what it opens was not altered, and may be explained. AES-CBC has
//! no tag, so that there the silence goes on until a signature is verified (see [`Plaintext::hide`]).

mod profile;

use fedgate_certs::decryption::{ContentCipher, DecryptionKey};
use zeroize::Zeroizing;

use self::profile::Profile;
use super::namespace::ENCRYPTION;
use super::refusal::SamlRefusal;
use super::xml::Element;
use crate::error::Refusal;

/// The most operations with private keys that one response costs, whatever it holds: the current key and the one before.
pub const MOST_PRIVATE_OPERATIONS: usize = 2;

/// What a connection can decrypt.
#[derive(Clone, Copy, Debug, Default)]
pub struct Decryption<'a> {
    /// Our keys, the likelier first; of these [`MOST_PRIVATE_OPERATIONS`] are tried. None: encrypted assertions are
    /// refused.
    pub keys: &'a [DecryptionKey],
    /// AES-CBC.
    pub cbc: Cbc,
}

/// Whether AES-CBC is decrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cbc {
    /// Never.
    #[default]
    Refused,
    /// The connection allows it (`saml_allow_aes_cbc`).
    Allowed,
    /// The connection allows it, and too much of what came lately did not decrypt: only cipher text that a Response's
    /// signature covers.
    Paused,
}

/// What was encrypted. The octets are overwritten when it is dropped.
pub struct Plaintext {
    octets: Zeroizing<Vec<u8>>,
    cipher: ContentCipher,
    key: String,
}

impl Plaintext {
    /// The octets.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The id of our key that it was encrypted for.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What decrypted it, as a trace shows it.
    pub fn cipher(&self) -> String {
        let (mode, key) = match self.cipher {
            ContentCipher::Gcm(key) => ("GCM", key),
            ContentCipher::Cbc(key) => ("CBC", key),
        };
        format!("AES-{}-{mode}", key.octets() * 8)
    }

    /// What a refusal of these octets may say, as long as no signature over them is verified: the code alone, and of
    /// AES-CBC not even that. Whoever learns how altered cipher text fails can read the original.
    pub fn hide(&self, refusal: &Refusal) -> Refusal {
        match self.cipher {
            ContentCipher::Gcm(_) => {
                Refusal::new(refusal.entry()).detail("inside the encrypted assertion")
            }
            ContentCipher::Cbc(_) => SamlRefusal::DecryptionFailed.into(),
        }
    }
}

impl std::fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Plaintext({}, {} octets)",
            self.cipher(),
            self.octets.len()
        )
    }
}

/// Decrypts an EncryptedAssertion. `is_covered` says that a verified signature of the Response covers the cipher text.
///
/// # Errors
/// Before a private key is used: `saml.encrypted_assertion`, `saml.encryption_profile`, `saml.encryption_algorithm`,
/// `saml.decryption_paused`. After: `saml.decryption_failed`, without evidence.
pub fn decrypt(
    encrypted: Element<'_>,
    decryption: Decryption<'_>,
    is_covered: bool,
) -> Result<Plaintext, Refusal> {
    if decryption.keys.is_empty() {
        return Err(refuse(encrypted));
    }
    let profile = Profile::read(encrypted)?;
    check_cbc(&profile, decryption.cbc, is_covered)?;
    let (octets, key) = open(&profile, decryption.keys).ok_or(SamlRefusal::DecryptionFailed)?;
    Ok(Plaintext {
        octets,
        cipher: profile.cipher,
        key: key.id().to_owned(),
    })
}

/// Refuses an encrypted assertion that there is no key for. Names the cipher, in the clear beside what it hides (XML
/// Encryption 1.1 section 3.1): an administrator finds the switch by it.
pub(super) fn refuse(encrypted: Element<'_>) -> Refusal {
    let cipher = encrypted
        .child(ENCRYPTION, "EncryptedData")
        .and_then(|data| data.child(ENCRYPTION, "EncryptionMethod"))
        .and_then(|method| method.attribute("Algorithm"));
    SamlRefusal::EncryptedAssertion
        .refuse()
        .expected("an assertion that is not encrypted")
        .found(cipher.unwrap_or("an encrypted assertion"))
}

fn check_cbc(profile: &Profile, cbc: Cbc, is_covered: bool) -> Result<(), Refusal> {
    match (profile.cipher, cbc) {
        (ContentCipher::Cbc(_), Cbc::Refused) => Err(profile::algorithm(
            "AES-128-GCM, AES-192-GCM or AES-256-GCM",
            "AES-CBC",
        )),
        (ContentCipher::Cbc(_), Cbc::Paused) if !is_covered => {
            Err(SamlRefusal::DecryptionPaused.into())
        }
        _ => Ok(()),
    }
}

/// Tries our keys on the wrapped one. A key whose modulus has another length cannot have been meant, and is not used.
fn open<'k>(
    profile: &Profile,
    keys: &'k [DecryptionKey],
) -> Option<(Zeroizing<Vec<u8>>, &'k DecryptionKey)> {
    let fitting = keys
        .iter()
        .filter(|key| key.wrapped_octets() == profile.wrapped_key.len());
    fitting.take(MOST_PRIVATE_OPERATIONS).find_map(|key| {
        let content_key = key.unwrap_key(profile.oaep, &profile.wrapped_key).ok()?;
        let octets = profile.cipher.open(&content_key, &profile.sealed).ok()?;
        Some((octets, key))
    })
}

#[cfg(test)]
mod tests;
