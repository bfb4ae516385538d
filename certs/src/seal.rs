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
    derived: RwLock<HashMap<Vec<u8>, DerivedKey>>,
    /// Keys of the family `Mac` by purpose, as OpenSSL takes them: it makes them slower than it uses them.
    mac_keys: RwLock<HashMap<String, PKey<Private>>>,
}

impl Sealer {
    /// A sealer under that key.
    pub fn new(master: MasterKey) -> Self {
        Self {
            master,
            derived: RwLock::default(),
            mac_keys: RwLock::default(),
        }
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
        let key = self.derive(Family::Secret, purpose, &[])?;
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
        let header = self.header();
        let body = boxed
            .strip_prefix(header.as_slice())
            .ok_or(CertError::Unsealable)?;
        let key = self.derive(Family::Secret, purpose, &[])?;
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
        let key = PKey::hmac(&self.derive(Family::Mac, purpose, &[])?[..])?;
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
        let mut header = vec![VERSION];
        header.extend_from_slice(&self.master.id());
        header
    }

    fn derive(&self, family: Family, purpose: &str, day: &[u8]) -> Result<DerivedKey, ErrorStack> {
        let mut info = b"fedgate seal".to_vec();
        info.push(family as u8);
        push_sized(&mut info, purpose.as_bytes());
        push_sized(&mut info, day);
        if let Some(key) = self
            .derived
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&info)
        {
            return Ok(Arc::clone(key));
        }
        let key = Arc::new(hkdf_sha256(self.master.octets(), &info)?);
        let mut derived = self.derived.write().unwrap_or_else(PoisonError::into_inner);
        if derived.len() >= DERIVED_KEYS {
            derived.clear();
        }
        derived.insert(info, Arc::clone(&key));
        Ok(key)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
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
