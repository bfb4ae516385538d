//! Private keys that unwrap content keys (RSA-OAEP), and the ciphers that those keys open.
//!
//! Every failure is one and the same error: which step failed is what a padding or format oracle would tell (Manger
//! 2001; Jager and Somorovsky 2011).

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::cipher::{Cipher, CipherRef};
use openssl::cipher_ctx::CipherCtx;
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, PKeyRef, Private};
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding;
use openssl::sha::sha256;
use zeroize::Zeroizing;

use crate::contexts::Contexts;
use crate::error::CertError;
use crate::public_key::{Digest, KeyKind, RSA_LEGACY_BITS, kind_from, kind_of};

/// The initialization vector of AES-GCM in XML Encryption 1.1 §5.2.4, in octets.
pub const GCM_IV: usize = 12;
/// The authentication tag of AES-GCM there, in octets.
pub const GCM_TAG: usize = 16;
/// A block of AES, and the initialization vector of AES-CBC (XML Encryption 1.1 §5.2.2), in octets.
pub const AES_BLOCK: usize = 16;

/// How a content key was wrapped: the hash of RSA-OAEP, and that of its mask function MGF1 (RFC 8017 §7.1). The label is
/// empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Oaep {
    /// The hash of the label.
    pub digest: Digest,
    /// The hash inside MGF1.
    pub mask: Digest,
}

/// A cipher for content, with the size of its key in octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContentCipher {
    /// AES in Galois/Counter Mode: what it opens was not altered.
    Gcm(AesKey),
    /// AES in Cipher Block Chaining: anybody can alter it, and whoever learns which alterations are well formed can read
    /// it.
    Cbc(AesKey),
}

/// The size of an AES key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AesKey {
    /// 128 bits.
    Bits128,
    /// 192 bits.
    Bits192,
    /// 256 bits.
    Bits256,
}

impl AesKey {
    /// The size in octets.
    pub fn octets(self) -> usize {
        match self {
            Self::Bits128 => 16,
            Self::Bits192 => 24,
            Self::Bits256 => 32,
        }
    }
}

/// A private key that unwraps content keys. Cheap to clone; clones share their count of operations and their prepared
/// contexts.
#[derive(Clone)]
pub struct DecryptionKey(Arc<Inner>);

struct Inner {
    id: String,
    private: PKey<Private>,
    operations: AtomicU64,
    contexts: Contexts<Oaep, Private>,
}

impl DecryptionKey {
    /// Takes an RSA key of 2048 to 8192 bits.
    ///
    /// # Errors
    /// `KeyTooWeak`, `KeyTooLarge`, `UnsoundKey`, `UnsupportedKey`.
    pub fn new(private: PKey<Private>) -> Result<Self, CertError> {
        let kind = kind_of(&private)?;
        Self::of_kind(private, kind)
    }

    /// Takes an RSA key of 1024 bits and more: for looking at old documents offline, never for a login.
    ///
    /// # Errors
    /// Those of [`DecryptionKey::new`].
    pub fn new_legacy(private: PKey<Private>) -> Result<Self, CertError> {
        let kind = kind_from(&private, RSA_LEGACY_BITS)?;
        Self::of_kind(private, kind)
    }

    /// Reads an unencrypted PKCS#8 key (RFC 5958).
    ///
    /// # Errors
    /// `NotAKey`, and those of [`DecryptionKey::new`].
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, CertError> {
        Self::new(PKey::private_key_from_pkcs8(der).map_err(|_| CertError::NotAKey)?)
    }

    /// Reads a PEM key without a passphrase; `legacy` as [`DecryptionKey::new_legacy`].
    ///
    /// # Errors
    /// `NotAKey`, and those of [`DecryptionKey::new`].
    pub fn from_pem(pem: &[u8], legacy: bool) -> Result<Self, CertError> {
        // The empty passphrase keeps OpenSSL from asking for one at the terminal.
        let private = PKey::private_key_from_pem_passphrase(pem, b"");
        let private = private.map_err(|_| CertError::NotAKey)?;
        if legacy {
            Self::new_legacy(private)
        } else {
            Self::new(private)
        }
    }

    /// SHA-256 of the public key (`SubjectPublicKeyInfo`), in base64url: the id of the pair that it is of.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// OpenSSL's view of the key.
    pub fn private(&self) -> &PKeyRef<Private> {
        &self.0.private
    }

    /// How many octets a wrapped key has: those of the modulus.
    pub fn wrapped_octets(&self) -> usize {
        self.0.private.size()
    }

    /// How often the private key was used since it was read.
    pub fn operations(&self) -> u64 {
        self.0.operations.load(Ordering::Relaxed)
    }

    /// Unwraps a content key. One operation with the private key.
    ///
    /// # Errors
    /// `Undecryptable`, whatever failed.
    pub fn unwrap_key(&self, oaep: Oaep, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, CertError> {
        self.0.operations.fetch_add(1, Ordering::Relaxed);
        let mut key = Zeroizing::new(vec![0; self.wrapped_octets()]);
        let written = self.0.contexts.with(
            oaep,
            || self.prepared(oaep),
            |context| context.decrypt(wrapped, Some(&mut key)),
        );
        let written = written.map_err(|_: ErrorStack| CertError::Undecryptable)?;
        key.truncate(written);
        Ok(key)
    }

    fn of_kind(private: PKey<Private>, kind: KeyKind) -> Result<Self, CertError> {
        match kind {
            KeyKind::Rsa { .. } => Ok(Self(Arc::new(Inner {
                id: URL_SAFE_NO_PAD.encode(sha256(&private.public_key_to_der()?)),
                private,
                operations: AtomicU64::new(0),
                contexts: Contexts::new(),
            }))),
            KeyKind::Ec { .. } => Err(CertError::UnsupportedKey),
        }
    }

    fn prepared(&self, oaep: Oaep) -> Result<PkeyCtx<Private>, ErrorStack> {
        let mut context = PkeyCtx::new(&self.0.private)?;
        context.decrypt_init()?;
        context.set_rsa_padding(Padding::PKCS1_OAEP)?;
        context.set_rsa_oaep_md(oaep.digest.md())?;
        context.set_rsa_mgf1_md(oaep.mask.md())?;
        Ok(context)
    }
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DecryptionKey({} bits)", self.0.private.bits())
    }
}

impl ContentCipher {
    /// The size of its key.
    pub fn key(self) -> AesKey {
        match self {
            Self::Gcm(key) | Self::Cbc(key) => key,
        }
    }

    /// Opens octets as XML Encryption lays them out: the initialization vector, the cipher text, and with GCM the tag.
    ///
    /// # Errors
    /// `Undecryptable`, whatever failed: too short, a key of another size, the tag, the padding.
    pub fn open(self, key: &[u8], octets: &[u8]) -> Result<Zeroizing<Vec<u8>>, CertError> {
        if key.len() != self.key().octets() {
            return Err(CertError::Undecryptable);
        }
        let opened = match self {
            Self::Gcm(_) => open_gcm(self.cipher(), key, octets),
            Self::Cbc(_) => open_cbc(self.cipher(), key, octets),
        };
        opened.ok_or(CertError::Undecryptable)
    }

    fn cipher(self) -> &'static CipherRef {
        match self {
            Self::Gcm(AesKey::Bits128) => Cipher::aes_128_gcm(),
            Self::Gcm(AesKey::Bits192) => Cipher::aes_192_gcm(),
            Self::Gcm(AesKey::Bits256) => Cipher::aes_256_gcm(),
            Self::Cbc(AesKey::Bits128) => Cipher::aes_128_cbc(),
            Self::Cbc(AesKey::Bits192) => Cipher::aes_192_cbc(),
            Self::Cbc(AesKey::Bits256) => Cipher::aes_256_cbc(),
        }
    }
}

fn open_gcm(cipher: &CipherRef, key: &[u8], octets: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (iv, rest) = octets.split_at_checked(GCM_IV)?;
    let (sealed, tag) = rest.split_at_checked(rest.len().checked_sub(GCM_TAG)?)?;
    let mut context = CipherCtx::new().ok()?;
    context
        .decrypt_init(Some(cipher), Some(key), Some(iv))
        .ok()?;
    context.set_tag(tag).ok()?;
    let mut plain = Zeroizing::new(vec![0; sealed.len() + AES_BLOCK]);
    let written = context.cipher_update(sealed, Some(&mut plain)).ok()?;
    // Compares the tag, and writes nothing; before that nothing of `plain` may be used.
    context.cipher_final(plain.get_mut(written..)?).ok()?;
    plain.truncate(written);
    Some(plain)
}

fn open_cbc(cipher: &CipherRef, key: &[u8], octets: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (iv, sealed) = octets.split_at_checked(AES_BLOCK)?;
    let mut context = CipherCtx::new().ok()?;
    context
        .decrypt_init(Some(cipher), Some(key), Some(iv))
        .ok()?;
    context.set_padding(false);
    let mut plain = Zeroizing::new(vec![0; sealed.len() + AES_BLOCK]);
    let written = context.cipher_update(sealed, Some(&mut plain)).ok()?;
    // Refuses a last block that is not whole, and writes nothing, since nothing is padded.
    context.cipher_final(plain.get_mut(written..)?).ok()?;
    plain.truncate(written);
    // The last octet counts the padding, the others of it are arbitrary (XML Encryption 1.1 §5.2).
    let padding = usize::from(*plain.last()?);
    if padding == 0 || padding > AES_BLOCK {
        return None;
    }
    let length = plain.len() - padding;
    plain.truncate(length);
    Some(plain)
}

#[cfg(test)]
mod tests;
