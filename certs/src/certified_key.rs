//! Private keys with a certificate around them, as SAML partners know them.
//!
//! Randomness for the key is OpenSSL's own, as in [`key`](crate::key); the certificate's serial number is drawn from
//! the caller's.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, PKeyRef, Private};
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding;
use openssl::sha::sha256;
use openssl::x509::extension::{BasicConstraints, KeyUsage, SubjectKeyIdentifier};
use openssl::x509::{X509, X509Name, X509NameBuilder};
use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::Timestamp;
use crate::contexts::Contexts;
use crate::error::CertError;
use crate::generate::KeyShape;
use crate::public_key::{KeyKind, PublicKey, Scheme, fixed_width_of_der};
use crate::trust::instant;

/// How long a certificate that is made here says to be valid, in seconds: ten years. SAML trusts the key and not the dates (SAML
/// V2.0 Metadata Interoperability Profile §2.6.1), and some identity providers stop at a date that nobody watches.
pub const CERTIFICATE_SECONDS: i64 = 3650 * 86_400;
/// A certificate begins this long before it is made, in seconds, for clocks that are behind.
const EARLIER_SECONDS: i64 = 3600;
/// The longest common name (RFC 5280 A.1, ub-common-name), in characters.
const NAME_CHARS: usize = 64;
/// Octets of a serial number; RFC 5280 §4.1.2.2 allows 20.
const SERIAL_BYTES: usize = 16;

/// What a pair is for, as its certificate says (RFC 5280 §4.2.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CertifiedUse {
    /// It signs.
    Signing,
    /// Others encrypt keys for it.
    Decryption,
}

/// A private key and its certificate, which belong together. Cheap to clone; clones share their prepared contexts.
#[derive(Clone)]
pub struct CertifiedKey(Arc<Inner>);

struct Inner {
    id: String,
    private: PKey<Private>,
    public: PublicKey,
    certificate: X509,
    der: Vec<u8>,
    contexts: Contexts<Scheme, Private>,
}

impl CertifiedKey {
    /// Makes a pair of that shape with a self-signed certificate for `name`. It takes a tenth of a
    /// second and more: not for an async thread that serves requests.
    ///
    /// # Errors
    /// `OpenSsl`.
    pub fn generate_shape(
        shape: KeyShape,
        name: &str,
        usage: CertifiedUse,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, CertError> {
        let private = shape.generate()?;
        let mut serial = [0; SERIAL_BYTES];
        rng.fill_bytes(&mut serial);
        let certificate = self_signed(&private, name, usage, now, serial)?;
        Self::new(private, certificate)
    }

    /// The same with RSA-2048.
    ///
    /// # Errors
    /// `OpenSsl`.
    pub fn generate(
        name: &str,
        usage: CertifiedUse,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, CertError> {
        Self::generate_shape(KeyShape::default(), name, usage, now, rng)
    }

    /// Reads an unencrypted PKCS#8 key (RFC 5958) and its certificate in PEM.
    ///
    /// # Errors
    /// Those of [`CertifiedKey::from_pem`].
    pub fn from_pkcs8_der(der: &[u8], certificate_pem: &[u8]) -> Result<Self, CertError> {
        let private = PKey::private_key_from_pkcs8(der).map_err(|_| CertError::NotAKey)?;
        Self::new(private, certificate(certificate_pem)?)
    }

    /// Reads an unencrypted key and its certificate, both PEM; of several certificates the first one is the key's.
    ///
    /// # Errors
    /// `NotAKey`, `NotACertificate`, `KeyTooWeak`, `KeyTooLarge`, `UnsoundKey`, `UnsupportedKey`; `KeyMismatch` if they
    /// do not belong together.
    pub fn from_pem(key_pem: &[u8], certificate_pem: &[u8]) -> Result<Self, CertError> {
        // The empty passphrase keeps OpenSSL from asking for one at the terminal.
        let private =
            PKey::private_key_from_pem_passphrase(key_pem, b"").map_err(|_| CertError::NotAKey)?;
        Self::new(private, certificate(certificate_pem)?)
    }

    /// SHA-256 of the public key (`SubjectPublicKeyInfo`), in base64url.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// What kind of key it is.
    pub fn kind(&self) -> KeyKind {
        self.0.public.kind()
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.0.public
    }

    /// OpenSSL's view of the private key, for decryption.
    pub fn private(&self) -> &PKeyRef<Private> {
        &self.0.private
    }

    /// The certificate as DER.
    pub fn certificate_der(&self) -> &[u8] {
        &self.0.der
    }

    /// When the certificate ends; none where it names no moment of the calendar.
    pub fn not_after(&self) -> Option<Timestamp> {
        instant(self.0.certificate.not_after())
    }

    /// When the certificate begins.
    pub fn not_before(&self) -> Option<Timestamp> {
        instant(self.0.certificate.not_before())
    }

    /// The certificate as PEM.
    ///
    /// # Errors
    /// `OpenSsl`.
    pub fn certificate_pem(&self) -> Result<String, CertError> {
        let pem = self.0.certificate.to_pem()?;
        String::from_utf8(pem).map_err(|_| CertError::NotACertificate)
    }

    /// The key as PKCS#8 (RFC 5958), unencrypted: to be sealed.
    ///
    /// # Errors
    /// `OpenSsl`.
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, CertError> {
        Ok(Zeroizing::new(self.0.private.private_key_to_pkcs8()?))
    }

    /// Signs `octets`; ECDSA as r‖s in the curve's width (XML Signature 1.1 §6.4.3).
    ///
    /// # Errors
    /// `AlgorithmMismatch` when the scheme is of another family or RSASSA-PSS, `OpenSsl`.
    pub fn sign(&self, scheme: Scheme, octets: &[u8]) -> Result<Vec<u8>, CertError> {
        let ((Scheme::RsaPkcs1(digest), KeyKind::Rsa { .. })
        | (Scheme::Ecdsa(digest), KeyKind::Ec { .. })) = (scheme, self.kind())
        else {
            return Err(CertError::AlgorithmMismatch);
        };
        let hash = digest.of(octets);
        let mut signature = Vec::new();
        self.0.contexts.with(
            scheme,
            || self.prepared(scheme),
            |context| context.sign_to_vec(&hash, &mut signature),
        )?;
        match self.kind() {
            KeyKind::Rsa { .. } => Ok(signature),
            KeyKind::Ec { curve } => Ok(fixed_width_of_der(&signature, curve)?),
        }
    }

    fn new(private: PKey<Private>, certificate: X509) -> Result<Self, CertError> {
        let spki = private.public_key_to_der()?;
        let public = PublicKey::from_spki_der(&spki)?;
        let certified = certificate
            .public_key()
            .map_err(|_| CertError::UnsupportedKey)?;
        if !certified.public_eq(&private) {
            return Err(CertError::KeyMismatch);
        }
        Ok(Self(Arc::new(Inner {
            id: URL_SAFE_NO_PAD.encode(sha256(&spki)),
            private,
            public,
            der: certificate.to_der()?,
            certificate,
            contexts: Contexts::new(),
        })))
    }

    fn prepared(&self, scheme: Scheme) -> Result<PkeyCtx<Private>, ErrorStack> {
        let mut context = PkeyCtx::new(&self.0.private)?;
        context.sign_init()?;
        if let Scheme::RsaPkcs1(_) = scheme {
            context.set_rsa_padding(Padding::PKCS1)?;
        }
        context.set_signature_md(scheme.digest().md())?;
        Ok(context)
    }
}

impl fmt::Debug for CertifiedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CertifiedKey({:?}, {})", self.kind(), self.0.id)
    }
}

/// When the first certificate of a PEM text ends; none if it is none.
pub fn certificate_end(pem: &[u8]) -> Option<Timestamp> {
    instant(certificate(pem).ok()?.not_after())
}

fn certificate(pem: &[u8]) -> Result<X509, CertError> {
    X509::from_pem(pem).map_err(|_| CertError::NotACertificate)
}

fn self_signed(
    key: &PKey<Private>,
    name: &str,
    usage: CertifiedUse,
    now: Timestamp,
    mut serial: [u8; SERIAL_BYTES],
) -> Result<X509, ErrorStack> {
    // A serial number is positive and not zero (RFC 5280 §4.1.2.2).
    serial[0] = (serial[0] & 0x7f) | 0x40;
    let name = common_name(name)?;
    let (begin, end) = (
        now.as_second().saturating_sub(EARLIER_SECONDS),
        now.as_second().saturating_add(CERTIFICATE_SECONDS),
    );
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    builder.set_serial_number(&*BigNum::from_slice(&serial)?.to_asn1_integer()?)?;
    builder.set_subject_name(&name)?;
    builder.set_issuer_name(&name)?;
    builder.set_pubkey(key)?;
    builder.set_not_before(&*Asn1Time::from_unix(begin)?)?;
    builder.set_not_after(&*Asn1Time::from_unix(end)?)?;
    builder.append_extension(BasicConstraints::new().critical().build()?)?;
    builder.append_extension(match usage {
        CertifiedUse::Signing => KeyUsage::new().digital_signature().build()?,
        CertifiedUse::Decryption => KeyUsage::new().key_encipherment().build()?,
    })?;
    let identifier = SubjectKeyIdentifier::new().build(&builder.x509v3_context(None, None))?;
    builder.append_extension(identifier)?;
    builder.sign(key, MessageDigest::sha256())?;
    Ok(builder.build())
}

fn common_name(name: &str) -> Result<X509Name, ErrorStack> {
    let clipped: String = name.chars().take(NAME_CHARS).collect();
    let mut builder = X509NameBuilder::new()?;
    builder.append_entry_by_text("CN", &clipped)?;
    Ok(builder.build())
}

#[cfg(test)]
mod tests {
    use openssl::nid::Nid;
    use openssl::rsa::Rsa;

    use super::*;
    use crate::public_key::Digest;
    use crate::samples::{self, rng};
    use crate::trust::TrustedKey;

    fn now() -> Timestamp {
        "2026-01-02T03:04:05Z".parse().unwrap()
    }

    fn made() -> CertifiedKey {
        CertifiedKey::generate(
            "login.example.com",
            CertifiedUse::Signing,
            now(),
            &mut rng(1),
        )
        .unwrap()
    }

    /// A key as PEM with a certificate around it.
    fn pem(key: &PKey<Private>) -> (Vec<u8>, Vec<u8>) {
        let certificate = self_signed(key, "sp", CertifiedUse::Signing, now(), [1; 16]).unwrap();
        (
            key.private_key_to_pem_pkcs8().unwrap(),
            certificate.to_pem().unwrap(),
        )
    }

    #[test]
    fn a_made_pair_is_one_that_we_would_trust_and_lasts_ten_years() {
        let pair = made();
        let trusted = TrustedKey::from_certificate_der(pair.certificate_der()).unwrap();
        assert!(trusted.public.same_as(pair.public()));
        assert_eq!(trusted.subject, "CN=login.example.com");
        assert_eq!(
            trusted.not_before.unwrap().as_second(),
            now().as_second() - 3600
        );
        assert_eq!(
            trusted.not_after.unwrap().as_second() - now().as_second(),
            CERTIFICATE_SECONDS
        );
        assert_eq!(pair.kind(), KeyKind::Rsa { bits: 2048 });
    }

    #[test]
    fn a_pair_survives_storage_with_its_id() {
        let pair = made();
        let pem = pair.certificate_pem().unwrap();
        let read =
            CertifiedKey::from_pkcs8_der(&pair.to_pkcs8_der().unwrap(), pem.as_bytes()).unwrap();
        assert_eq!(
            (read.id(), read.certificate_der()),
            (pair.id(), pair.certificate_der())
        );
        assert!(!format!("{pair:?}").contains("BEGIN"));
    }

    #[test]
    fn every_kind_signs_with_its_own_family_and_verifies() {
        let digests = [Digest::Sha1, Digest::Sha256, Digest::Sha384, Digest::Sha512];
        let curves = [Nid::X9_62_PRIME256V1, Nid::SECP384R1, Nid::SECP521R1];
        let mut pairs = vec![made()];
        pairs.extend(curves.map(|curve| {
            let (key, certificate) = pem(&samples::ec(curve));
            CertifiedKey::from_pem(&key, &certificate).unwrap()
        }));
        for pair in &pairs {
            for digest in digests {
                let is_rsa = matches!(pair.kind(), KeyKind::Rsa { .. });
                let families = (Scheme::RsaPkcs1(digest), Scheme::Ecdsa(digest));
                let (own, other) = if is_rsa {
                    families
                } else {
                    (families.1, families.0)
                };
                let signature = pair.sign(own, b"octets").unwrap();
                assert_eq!(pair.public().verify(own, b"octets", &signature), Ok(()));
                assert_eq!(
                    pair.sign(other, b"octets"),
                    Err(CertError::AlgorithmMismatch)
                );
                let pss = pair.sign(Scheme::RsaPss(digest), b"octets");
                assert_eq!(pss, Err(CertError::AlgorithmMismatch));
            }
        }
    }

    #[test]
    fn what_is_no_pair_is_refused_for_what_it_is() {
        let (rsa, other) = (pem(samples_rsa()), pem(&samples::ec(Nid::SECP384R1)));
        let weak = pem(&PKey::from_rsa(Rsa::generate(1024).unwrap()).unwrap());
        let odd = pem(&samples::ec(Nid::SECP256K1));
        let encrypted = samples_rsa()
            .private_key_to_pem_pkcs8_passphrase(openssl::symm::Cipher::aes_128_cbc(), b"secret")
            .unwrap();
        for (key, certificate, error) in [
            (&rsa.0, &other.1, CertError::KeyMismatch),
            (&rsa.1, &rsa.1, CertError::NotAKey),
            (&rsa.0, &rsa.0, CertError::NotACertificate),
            (&weak.0, &weak.1, CertError::KeyTooWeak),
            (&odd.0, &odd.1, CertError::UnsupportedKey),
            (&encrypted, &rsa.1, CertError::NotAKey),
            (&Vec::new(), &rsa.1, CertError::NotAKey),
        ] {
            assert_eq!(CertifiedKey::from_pem(key, certificate).unwrap_err(), error);
        }
    }

    fn samples_rsa() -> &'static PKey<Private> {
        static KEY: std::sync::OnceLock<PKey<Private>> = std::sync::OnceLock::new();
        KEY.get_or_init(|| PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap())
    }
}
