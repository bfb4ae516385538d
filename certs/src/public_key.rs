//! Public keys that passed the policy, and verification with them at OpenSSL's own speed.

mod roca;

use std::fmt;
use std::sync::Arc;

use openssl::bn::{BigNum, BigNumContext, BigNumRef};
use openssl::ec::{Asn1Flag, EcGroup, EcKeyRef, PointConversionForm};
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::md::{Md, MdRef};
use openssl::nid::Nid;
use openssl::pkey::{HasPublic, Id, PKey, PKeyRef, Public};
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::{Padding, RsaRef};
use openssl::sha;
use openssl::sign::RsaPssSaltlen;

use crate::contexts::Contexts;
use crate::error::CertError;

/// The smallest RSA modulus that is accepted, in bits (NIST SP 800-131A).
pub const RSA_MIN_BITS: u32 = 2048;
/// The smallest RSA modulus that is read for looking at old documents offline, in bits.
pub const RSA_LEGACY_BITS: u32 = 1024;
/// The largest RSA modulus that is accepted, in bits: a verification with 8192 takes about a quarter millisecond.
pub const RSA_MAX_BITS: u32 = 8192;
/// The largest RSA public exponent that is accepted, in bits.
pub const RSA_EXPONENT_BITS: i32 = 32;

/// A NIST curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Curve {
    /// secp256r1.
    P256,
    /// secp384r1.
    P384,
    /// secp521r1.
    P521,
}

impl Curve {
    /// The width of a coordinate or of a signature's r or s, in octets.
    pub fn octets(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// The name in a JWK (RFC 7518 §6.2.1.1).
    pub fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    /// The curve with that name in a JWK.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::P256, Self::P384, Self::P521]
            .into_iter()
            .find(|curve| curve.name() == name)
    }

    pub(crate) fn nid(self) -> Nid {
        match self {
            Self::P256 => Nid::X9_62_PRIME256V1,
            Self::P384 => Nid::SECP384R1,
            Self::P521 => Nid::SECP521R1,
        }
    }
}

/// What kind of key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// RSA, with the size of the modulus in bits.
    Rsa {
        /// Size of the modulus in bits.
        bits: u32,
    },
    /// An elliptic curve key.
    Ec {
        /// The curve.
        curve: Curve,
    },
}

impl KeyKind {
    /// The security strength in bits (NIST SP 800-57 part 1, table 2).
    pub fn strength(self) -> u32 {
        match self {
            Self::Rsa { bits: ..2048 } => 80,
            Self::Rsa { bits: ..3072 } => 112,
            Self::Rsa { bits: ..7680 } => 128,
            Self::Rsa { .. } => 192,
            Self::Ec { curve } => match curve {
                Curve::P256 => 128,
                Curve::P384 => 192,
                Curve::P521 => 256,
            },
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(f, "RSA-{bits}"),
            Self::Ec { curve } => f.write_str(curve.name()),
        }
    }
}

/// A hash function inside a signature algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Digest {
    /// SHA-1: only where a caller's policy allows it.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Digest {
    /// The hash of `octets`.
    pub fn of(self, octets: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => sha::sha1(octets).to_vec(),
            Self::Sha256 => sha::sha256(octets).to_vec(),
            Self::Sha384 => sha::sha384(octets).to_vec(),
            Self::Sha512 => sha::sha512(octets).to_vec(),
        }
    }

    pub(crate) fn md(self) -> &'static MdRef {
        match self {
            Self::Sha1 => Md::sha1(),
            Self::Sha256 => Md::sha256(),
            Self::Sha384 => Md::sha384(),
            Self::Sha512 => Md::sha512(),
        }
    }
}

/// A signature scheme, without the names that XML and JOSE give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// RSASSA-PKCS1-v1_5 (RFC 8017 §8.2).
    RsaPkcs1(Digest),
    /// RSASSA-PSS with MGF1 over the same hash and a salt as long as it (RFC 7518 §3.5).
    RsaPss(Digest),
    /// ECDSA, the signature as r‖s in the curve's width (RFC 7518 §3.4, XML Signature 1.1 §6.4.3).
    Ecdsa(Digest),
}

impl Scheme {
    /// The hash function inside.
    pub fn digest(self) -> Digest {
        match self {
            Self::RsaPkcs1(digest) | Self::RsaPss(digest) | Self::Ecdsa(digest) => digest,
        }
    }
}

/// A public key that passed the policy: RSA of 2048 to 8192 bits with a sound exponent, or a point on
/// P-256, P-384 or P-521. Cheap to clone; clones share their prepared contexts.
#[derive(Clone)]
pub struct PublicKey(Arc<Inner>);

struct Inner {
    key: PKey<Public>,
    kind: KeyKind,
    /// The order of the curve; absent for RSA.
    order: Option<BigNum>,
    contexts: Contexts<Scheme, Public>,
}

impl PublicKey {
    /// Checks a key against the policy.
    ///
    /// # Errors
    /// `KeyTooWeak`, `KeyTooLarge`, `UnsoundKey`, `UnsupportedKey`.
    pub fn new(key: PKey<Public>) -> Result<Self, CertError> {
        let kind = kind_of(&key)?;
        Self::of_kind(key, kind)
    }

    /// Checks a key against the policy of [`RSA_LEGACY_BITS`]: for looking at documents offline, never for a login.
    ///
    /// # Errors
    /// Those of [`PublicKey::new`].
    pub fn new_legacy(key: PKey<Public>) -> Result<Self, CertError> {
        let kind = kind_from(&key, RSA_LEGACY_BITS)?;
        Self::of_kind(key, kind)
    }

    fn of_kind(key: PKey<Public>, kind: KeyKind) -> Result<Self, CertError> {
        let order = match kind {
            KeyKind::Rsa { .. } => None,
            KeyKind::Ec { curve } => Some(order_of(curve)?),
        };
        Ok(Self(Arc::new(Inner {
            key,
            kind,
            order,
            contexts: Contexts::new(),
        })))
    }

    /// Reads a DER `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7).
    ///
    /// # Errors
    /// `NotAKey`, and those of [`PublicKey::new`].
    pub fn from_spki_der(der: &[u8]) -> Result<Self, CertError> {
        let key = PKey::public_key_from_der(der).map_err(|_| CertError::NotAKey)?;
        Self::new(key)
    }

    /// What kind of key it is.
    pub fn kind(&self) -> KeyKind {
        self.0.kind
    }

    /// OpenSSL's view of the key.
    pub fn pkey(&self) -> &PKeyRef<Public> {
        &self.0.key
    }

    /// Whether both are the same key.
    pub fn same_as(&self, other: &Self) -> bool {
        self.0.key.public_eq(&other.0.key)
    }

    /// SHA-256 over the kind and the numbers of the key: the same for every certificate around it and for every
    /// encoding of it.
    ///
    /// # Errors
    /// `OpenSsl`
    pub fn id(&self) -> Result<[u8; 32], CertError> {
        let numbers = match self.0.kind {
            KeyKind::Rsa { .. } => {
                let key = self.0.key.rsa()?;
                [
                    b"rsa\0".to_vec(),
                    key.e().to_vec(),
                    vec![0],
                    key.n().to_vec(),
                ]
                .concat()
            }
            KeyKind::Ec { .. } => {
                let key = self.0.key.ec_key()?;
                let mut context = BigNumContext::new()?;
                let form = PointConversionForm::UNCOMPRESSED;
                let point = key.public_key().to_bytes(key.group(), form, &mut context)?;
                [b"ec\0".to_vec(), point].concat()
            }
        };
        Ok(sha::sha256(&numbers))
    }

    /// Verifies a signature over `octets`.
    ///
    /// # Errors
    /// `AlgorithmMismatch` when the scheme is of another family, `SignatureMalformed` (ECDSA only),
    /// `SignatureInvalid`, `OpenSsl` when the host's policy forbids the algorithm.
    pub fn verify(&self, scheme: Scheme, octets: &[u8], signature: &[u8]) -> Result<(), CertError> {
        match (scheme, self.0.kind, &self.0.order) {
            (Scheme::RsaPkcs1(digest) | Scheme::RsaPss(digest), KeyKind::Rsa { .. }, _) => {
                self.verify_hash(scheme, digest, octets, signature)
            }
            (Scheme::Ecdsa(digest), KeyKind::Ec { curve }, Some(order)) => {
                let der = der_of_fixed_width(signature, curve, order)?;
                self.verify_hash(scheme, digest, octets, &der)
            }
            _ => Err(CertError::AlgorithmMismatch),
        }
    }

    fn verify_hash(
        &self,
        scheme: Scheme,
        digest: Digest,
        octets: &[u8],
        signature: &[u8],
    ) -> Result<(), CertError> {
        let hash = digest.of(octets);
        self.0.contexts.with(
            scheme,
            || prepared(&self.0.key, scheme, digest),
            |context| match context.verify(&hash, signature) {
                Ok(true) => Ok(()),
                // OpenSSL also reports a signature of the wrong length or padding as an error.
                Ok(false) | Err(_) => Err(CertError::SignatureInvalid),
            },
        )
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PublicKey").field(&self.0.kind).finish()
    }
}

/// The kind of a key, after all checks of the policy.
pub(crate) fn kind_of<T: HasPublic>(key: &PKeyRef<T>) -> Result<KeyKind, CertError> {
    kind_from(key, RSA_MIN_BITS)
}

pub(crate) fn kind_from<T: HasPublic>(
    key: &PKeyRef<T>,
    rsa_bits: u32,
) -> Result<KeyKind, CertError> {
    match key.id() {
        Id::RSA => rsa_kind(&*key.rsa().map_err(|_| CertError::UnsoundKey)?, rsa_bits),
        Id::EC => ec_kind(&*key.ec_key().map_err(|_| CertError::UnsoundKey)?),
        _ => Err(CertError::UnsupportedKey),
    }
}

fn rsa_kind<T: HasPublic>(key: &RsaRef<T>, least: u32) -> Result<KeyKind, CertError> {
    let bits = key.n().num_bits().unsigned_abs();
    if bits < least {
        return Err(CertError::KeyTooWeak);
    }
    if bits > RSA_MAX_BITS {
        return Err(CertError::KeyTooLarge);
    }
    if roca::has_fingerprint(key.n())? {
        return Err(CertError::KeyTooWeak);
    }
    let exponent_bits = key.e().num_bits();
    let sound =
        key.n().is_odd() && key.e().is_odd() && (2..=RSA_EXPONENT_BITS).contains(&exponent_bits);
    if sound {
        Ok(KeyKind::Rsa { bits })
    } else {
        Err(CertError::UnsoundKey)
    }
}

fn ec_kind<T: HasPublic>(key: &EcKeyRef<T>) -> Result<KeyKind, CertError> {
    // Parameters spelled out instead of named can forge a curve around somebody's key (CVE-2020-0601).
    if key.group().asn1_flag() != Asn1Flag::NAMED_CURVE {
        return Err(CertError::UnsupportedKey);
    }
    let name = key.group().curve_name();
    let curve = [Curve::P256, Curve::P384, Curve::P521]
        .into_iter()
        .find(|curve| name == Some(curve.nid()));
    let curve = curve.ok_or(CertError::UnsupportedKey)?;
    // These curves have cofactor 1: a point on the curve that is not the neutral one has the full order, so that the
    // costly multiplication by n of a full check adds nothing (NIST SP 800-56A §5.6.2.3.4).
    let on_curve = key
        .public_key()
        .is_on_curve(key.group(), &mut *BigNumContext::new()?)?;
    if !on_curve || key.public_key().is_infinity(key.group()) {
        return Err(CertError::UnsoundKey);
    }
    Ok(KeyKind::Ec { curve })
}

fn order_of(curve: Curve) -> Result<BigNum, ErrorStack> {
    let mut order = BigNum::new()?;
    EcGroup::from_curve_name(curve.nid())?.order(&mut order, &mut *BigNumContext::new()?)?;
    Ok(order)
}

fn prepared(
    key: &PKeyRef<Public>,
    scheme: Scheme,
    digest: Digest,
) -> Result<PkeyCtx<Public>, ErrorStack> {
    let mut context = PkeyCtx::new(key)?;
    context.verify_init()?;
    match scheme {
        Scheme::RsaPkcs1(_) => context.set_rsa_padding(Padding::PKCS1)?,
        Scheme::RsaPss(_) => context.set_rsa_padding(Padding::PKCS1_PSS)?,
        Scheme::Ecdsa(_) => {}
    }
    context.set_signature_md(digest.md())?;
    if matches!(scheme, Scheme::RsaPss(_)) {
        context.set_rsa_mgf1_md(digest.md())?;
        context.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
    }
    Ok(context)
}

/// r‖s in the curve's width, of the DER that OpenSSL writes.
pub(crate) fn fixed_width_of_der(der: &[u8], curve: Curve) -> Result<Vec<u8>, ErrorStack> {
    let pair = EcdsaSig::from_der(der)?;
    // A coordinate has 66 octets at most.
    let width = i32::try_from(curve.octets()).unwrap_or(i32::MAX);
    let mut fixed = pair.r().to_vec_padded(width)?;
    fixed.extend_from_slice(&pair.s().to_vec_padded(width)?);
    Ok(fixed)
}

fn der_of_fixed_width(
    signature: &[u8],
    curve: Curve,
    order: &BigNumRef,
) -> Result<Vec<u8>, CertError> {
    if signature.len() != 2 * curve.octets() {
        return Err(CertError::SignatureMalformed);
    }
    let (r, s) = signature.split_at(curve.octets());
    let pair = EcdsaSig::from_private_components(scalar(r, order)?, scalar(s, order)?)?;
    Ok(pair.to_der()?)
}

/// A number in 1..n-1.
fn scalar(octets: &[u8], order: &BigNumRef) -> Result<BigNum, CertError> {
    let number = BigNum::from_slice(octets)?;
    let inside = number.num_bits() > 0 && number.ucmp(order).is_lt();
    if inside {
        Ok(number)
    } else {
        Err(CertError::SignatureMalformed)
    }
}

#[cfg(test)]
mod tests;
