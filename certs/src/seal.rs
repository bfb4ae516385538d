//! Sealing: secrets at rest, what a browser keeps for us, and hashes of what we only compare.
//!
//! Every box is AES-256-GCM (NIST SP 800-38D) under a key of its own purpose, derived from the master key by
//! HKDF-SHA256 (RFC 5869). Whatever makes a box not open is the one leaf `Unsealable`.

mod day;
mod master;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::md::Md;
use openssl::memcmp;
use openssl::pkey::{Id, PKey, Private};
use openssl::pkey_ctx::PkeyCtx;
use openssl::sign::Signer;
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::error::CertError;

pub use day::{DAYS_KEPT, Opened, SEALED_TEXT_BYTES};
pub use master::MasterKey;

/// The version of both box formats, their first octet.
const VERSION: u8 = 1;
const KEY_ID_BYTES: usize = 4;
/// 96 random bits (NIST SP 800-38D §8.2.2): a purpose's key may seal 2^32 boxes.
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
/// The most derived keys that are remembered. Purposes are few and are written in code; days pass.
const DERIVED_KEYS: usize = 256;

/// What the root of [`Sealer::mac`] is sealed for.
pub const MAC_ROOT: &str = "mac_root";

type DerivedKey = Arc<Zeroizing<[u8; 32]>>;

/// What a derived key does; part of its derivation, so that no key serves two families.
#[derive(Clone, Copy)]
enum Family {
    Secret = 1,
    Day = 2,
    Mac = 3,
}

/// Seals and opens under one master key.
pub struct Sealer {
    master: MasterKey,
    /// The master key before this one, or after it: it opens, and seals nothing.
    other: Option<MasterKey>,
    /// What keys of the family `Mac` are derived from: the master key itself, or a root that outlives it.
    mac_root: Option<MasterKey>,
    derived: RwLock<HashMap<Vec<u8>, DerivedKey>>,
    /// Keys of the family `Mac` by purpose, as OpenSSL takes them: it makes them slower than it uses them.
    mac_keys: RwLock<HashMap<String, PKey<Private>>>,
}

impl Sealer {
    /// A sealer under that key.
    pub fn new(master: MasterKey) -> Self {
        Self {
            master,
            other: None,
            mac_root: None,
            derived: RwLock::default(),
            mac_keys: RwLock::default(),
        }
    }

    /// The same, which also opens what another master key has sealed.
    #[must_use]
    pub fn also_opening(self, other: MasterKey) -> Self {
        let other = Some(other).filter(|other| other.id() != self.master.id());
        Self { other, ..self }
    }

    /// The same, with another root of [`Sealer::mac`]: what is hashed must be found again after the master key changes.
    #[must_use]
    pub fn with_mac_root(self, root: MasterKey) -> Self {
        let mac_root = Some(root);
        Self { mac_root, ..self }
    }

    /// The id of the other master key, if there is one.
    pub fn other_key_id(&self) -> Option<[u8; 4]> {
        self.other.as_ref().map(MasterKey::id)
    }

    /// Whether a box is sealed with the master key of now. It says nothing of whether it opens.
    pub fn is_current(&self, boxed: &[u8]) -> bool {
        boxed.starts_with(&self.header())
    }

    /// A copy of the master key that sealed a box, if it is at hand.
    pub fn master_of(&self, boxed: &[u8]) -> Option<MasterKey> {
        self.opener(boxed).map(|(master, _)| master.copied())
    }

    /// Seals a root for the store.
    ///
    /// # Errors
    /// `OpenSsl`.
    pub fn seal_mac_root(
        &self,
        root: &MasterKey,
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<u8>, CertError> {
        self.seal_secret(MAC_ROOT, MAC_ROOT, root.octets(), rng)
    }

    /// Opens a root from the store.
    ///
    /// # Errors
    /// `Unsealable`.
    pub fn open_mac_root(&self, boxed: &[u8]) -> Result<MasterKey, CertError> {
        let octets = self.open_secret(MAC_ROOT, MAC_ROOT, boxed)?;
        MasterKey::from_octets(&octets)
    }

    /// The id of the master key, which every box carries.
    pub fn key_id(&self) -> [u8; 4] {
        self.master.id()
    }

    /// Seals a secret for the store. `context` names the row and column that it belongs to: moved elsewhere,
    /// it does not open.
    ///
    /// # Errors
    /// `OpenSsl`.
    pub fn seal_secret(
        &self,
        purpose: &str,
        context: &str,
        plain: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<u8>, CertError> {
        let key = self.derive(&self.master, Family::Secret, purpose, &[])?;
        let header = self.header();
        let associated = associated_data(&header, purpose, &[context.as_bytes()]);
        Ok(seal(&key, &header, &associated, plain, rng)?)
    }

    /// Opens what [`Sealer::seal_secret`] sealed with the same purpose and context.
    ///
    /// # Errors
    /// `Unsealable`, `OpenSsl`.
    pub fn open_secret(
        &self,
        purpose: &str,
        context: &str,
        boxed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CertError> {
        let (master, body) = self.opener(boxed).ok_or(CertError::Unsealable)?;
        let key = self.derive(master, Family::Secret, purpose, &[])?;
        let header = header_of(master);
        open(
            &key,
            &associated_data(&header, purpose, &[context.as_bytes()]),
            body,
        )
    }

    /// HMAC-SHA256 (RFC 2104) of `data` under a key of that purpose: what the store keeps of client secrets and
    /// tokens, which we only ever compare.
    ///
    /// # Errors
    /// `OpenSsl`.
    pub fn mac(&self, purpose: &str, data: &[u8]) -> Result<[u8; 32], CertError> {
        let key = self.mac_key(purpose)?;
        let mut code = [0; 32];
        Signer::new(MessageDigest::sha256(), &key)?.sign_oneshot(&mut code, data)?;
        Ok(code)
    }

    /// Whether `code` is the [`Sealer::mac`] of `data`, in constant time.
    ///
    /// # Errors
    /// `OpenSsl`.
    pub fn mac_matches(&self, purpose: &str, data: &[u8], code: &[u8]) -> Result<bool, CertError> {
        let expected = self.mac(purpose, data)?;
        Ok(code.len() == expected.len() && memcmp::eq(code, &expected))
    }

    fn mac_key(&self, purpose: &str) -> Result<PKey<Private>, ErrorStack> {
        let kept = self
            .mac_keys
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(purpose)
            .cloned();
        if let Some(key) = kept {
            return Ok(key);
        }
        let root = self.mac_root.as_ref().unwrap_or(&self.master);
        let key = PKey::hmac(&self.derive(root, Family::Mac, purpose, &[])?[..])?;
        let mut keys = self
            .mac_keys
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= DERIVED_KEYS {
            keys.clear();
        }
        keys.insert(purpose.to_owned(), key.clone());
        Ok(key)
    }

    fn header(&self) -> Vec<u8> {
        header_of(&self.master)
    }

    /// The master key that a box names, and what stands behind its name.
    fn opener<'b>(&self, boxed: &'b [u8]) -> Option<(&MasterKey, &'b [u8])> {
        let masters = std::iter::once(&self.master).chain(&self.other);
        masters.into_iter().find_map(|master| {
            let body = boxed.strip_prefix(header_of(master).as_slice())?;
            Some((master, body))
        })
    }

    fn derive(
        &self,
        master: &MasterKey,
        family: Family,
        purpose: &str,
        day: &[u8],
    ) -> Result<DerivedKey, ErrorStack> {
        let mut info = b"fedgate seal".to_vec();
        info.push(family as u8);
        push_sized(&mut info, purpose.as_bytes());
        push_sized(&mut info, day);
        let name = [master.id().as_slice(), &info].concat();
        if let Some(key) = self
            .derived
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&name)
        {
            return Ok(Arc::clone(key));
        }
        let key = Arc::new(hkdf_sha256(master.octets(), &info)?);
        let mut derived = self.derived.write().unwrap_or_else(PoisonError::into_inner);
        if derived.len() >= DERIVED_KEYS {
            derived.clear();
        }
        derived.insert(name, Arc::clone(&key));
        Ok(key)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

/// The version, and the id of the master key.
fn header_of(master: &MasterKey) -> Vec<u8> {
    let mut header = vec![VERSION];
    header.extend_from_slice(&master.id());
    header
}

/// The master key is uniformly random, so that no salt is needed (RFC 5869 §3.1).
fn hkdf_sha256(secret: &[u8], info: &[u8]) -> Result<Zeroizing<[u8; 32]>, ErrorStack> {
    let mut context = PkeyCtx::new_id(Id::HKDF)?;
    context.derive_init()?;
    context.set_hkdf_md(Md::sha256())?;
    context.set_hkdf_key(secret)?;
    context.add_hkdf_info(info)?;
    let mut key = Zeroizing::new([0; 32]);
    context.derive(Some(&mut key[..]))?;
    Ok(key)
}

/// Every part carries its length, so that no two lists of parts make the same octets.
fn associated_data(header: &[u8], purpose: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut data = Vec::new();
    push_sized(&mut data, header);
    push_sized(&mut data, purpose.as_bytes());
    for part in parts {
        push_sized(&mut data, part);
    }
    data
}

fn push_sized(data: &mut Vec<u8>, part: &[u8]) {
    data.extend_from_slice(&(part.len() as u64).to_be_bytes());
    data.extend_from_slice(part);
}

/// Appends nonce, ciphertext and tag to `header`.
fn seal(
    key: &[u8; 32],
    header: &[u8],
    associated: &[u8],
    plain: &[u8],
    rng: &mut dyn CryptoRng,
) -> Result<Vec<u8>, ErrorStack> {
    let (mut nonce, mut tag) = ([0; NONCE_BYTES], [0; TAG_BYTES]);
    rng.fill_bytes(&mut nonce);
    let cipher = Cipher::aes_256_gcm();
    let sealed = encrypt_aead(cipher, key, Some(&nonce), associated, plain, &mut tag)?;
    Ok([header, &nonce, &sealed, &tag].concat())
}

/// Opens nonce, ciphertext and tag.
fn open(key: &[u8; 32], associated: &[u8], body: &[u8]) -> Result<Zeroizing<Vec<u8>>, CertError> {
    let (nonce, rest) = body
        .split_at_checked(NONCE_BYTES)
        .ok_or(CertError::Unsealable)?;
    let length = rest
        .len()
        .checked_sub(TAG_BYTES)
        .ok_or(CertError::Unsealable)?;
    let (sealed, tag) = rest.split_at(length);
    let plain = decrypt_aead(
        Cipher::aes_256_gcm(),
        key,
        Some(nonce),
        associated,
        sealed,
        tag,
    );
    plain.map(Zeroizing::new).map_err(|_| CertError::Unsealable)
}

#[cfg(test)]
mod tests;
