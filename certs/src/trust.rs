//! The keys that a SAML or WS-Federation identity provider is trusted to sign with.

use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet::STANDARD as STANDARD_ALPHABET;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::sha;
use openssl::x509::{X509, X509NameRef, X509Ref};

use crate::Timestamp;
use crate::error::CertError;
use crate::public_key::{Digest, PublicKey, Scheme};

pub use crate::public_key::{Curve, KeyKind};

/// The most distinct keys that one identity provider may have.
pub const TRUST_KEYS: usize = 8;
/// The longest certificate, or file of certificates, that is read, in octets.
pub const CERTIFICATE_BYTES: usize = 256 * 1024;
/// The most certificates that are read from one file.
pub const CERTIFICATES: usize = 64;
/// The longest subject that is kept, in characters.
const SUBJECT_CHARS: usize = 256;

const PEM_BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const PEM_END: &str = "-----END CERTIFICATE-----";

/// Metadata in the wild drops padding; everything else is strict.
const CERTIFICATE_BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD_ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A key that is trusted, with what an administrator recognizes it by.
///
/// SAML trusts the key, not the certificate around it (SAML V2.0 Metadata Interoperability Profile §2.6.1):
/// dates, issuer and extensions are for showing only.
#[derive(Clone, Debug)]
pub struct TrustedKey {
    /// The key.
    pub public: PublicKey,
    /// What kind of key it is.
    pub kind: KeyKind,
    /// What tells the key from others, whatever certificate is around it ([`PublicKey::id`]).
    pub id: [u8; 32],
    /// SHA-256 of the certificate's DER, as upper-case hexadecimal pairs joined by colons.
    pub fingerprint_sha256: String,
    /// The certificate's subject, as `CN=…, O=…`.
    pub subject: String,
    /// When the certificate begins; never decides.
    pub not_before: Option<Timestamp>,
    /// When the certificate ends; never decides.
    pub not_after: Option<Timestamp>,
    /// The certificate itself, for another implementation that takes no bare key.
    pub certificate_der: Arc<[u8]>,
}

impl TrustedKey {
    /// Reads one DER certificate.
    ///
    /// # Errors
    /// `NotACertificate`, `KeyTooWeak`, `KeyTooLarge`, `UnsoundKey`, `UnsupportedKey`.
    pub fn from_certificate_der(der: &[u8]) -> Result<Self, CertError> {
        if der.len() > CERTIFICATE_BYTES || encoded_length(der) != Some(der.len()) {
            return Err(CertError::NotACertificate);
        }
        let certificate = X509::from_der(der).map_err(|_| CertError::NotACertificate)?;
        Self::from_certificate(&certificate, der)
    }

    /// Reads one DER certificate whose RSA key may have 1024 bits: for looking at old documents offline, never for
    /// a login.
    ///
    /// # Errors
    /// Those of [`TrustedKey::from_certificate_der`].
    pub fn from_legacy_certificate_der(der: &[u8]) -> Result<Self, CertError> {
        let certificate = X509::from_der(der).map_err(|_| CertError::NotACertificate)?;
        let key = certificate
            .public_key()
            .map_err(|_| CertError::UnsupportedKey)?;
        Self::around(&certificate, der, PublicKey::new_legacy(key)?)
    }

    /// Reads all certificates of a PEM file, at least one; other blocks are passed over.
    ///
    /// # Errors
    /// `NotACertificate`, `TooManyKeys`, and those of [`TrustedKey::from_certificate_der`].
    pub fn from_certificate_pem(pem: &[u8]) -> Result<Vec<Self>, CertError> {
        if pem.len() > CERTIFICATE_BYTES {
            return Err(CertError::NotACertificate);
        }
        let certificates = X509::stack_from_pem(pem).map_err(|_| CertError::NotACertificate)?;
        match certificates.len() {
            0 => Err(CertError::NotACertificate),
            1..=CERTIFICATES => certificates
                .iter()
                .map(|one| Self::from_certificate(one, &one.to_der()?))
                .collect(),
            _ => Err(CertError::TooManyKeys),
        }
    }

    /// Reads the base64 of one DER certificate, as metadata has it: white space and missing padding do not
    /// matter. A PEM certificate pasted there is read too, and so is the base64 of one, which some metadata has.
    ///
    /// # Errors
    /// Those of [`TrustedKey::from_certificate_der`].
    pub fn from_certificate_base64(text: &str) -> Result<Self, CertError> {
        if text.len() > CERTIFICATE_BYTES {
            return Err(CertError::NotACertificate);
        }
        let body = text.trim();
        let body = body.strip_prefix(PEM_BEGIN).unwrap_or(body);
        let body = body.strip_suffix(PEM_END).unwrap_or(body);
        let compact: String = body
            .chars()
            .filter(|character| !character.is_ascii_whitespace())
            .collect();
        let der = CERTIFICATE_BASE64
            .decode(compact)
            .map_err(|_| CertError::NotACertificate)?;
        if der.starts_with(PEM_BEGIN.as_bytes()) {
            return only(Self::from_certificate_pem(&der)?);
        }
        Self::from_certificate_der(&der)
    }

    fn from_certificate(certificate: &X509Ref, der: &[u8]) -> Result<Self, CertError> {
        let key = certificate
            .public_key()
            .map_err(|_| CertError::UnsupportedKey)?;
        Self::around(certificate, der, PublicKey::new(key)?)
    }

    fn around(certificate: &X509Ref, der: &[u8], public: PublicKey) -> Result<Self, CertError> {
        Ok(Self {
            kind: public.kind(),
            id: public.id()?,
            public,
            fingerprint_sha256: fingerprint(der),
            subject: subject_text(certificate.subject_name()),
            not_before: instant(certificate.not_before()),
            not_after: instant(certificate.not_after()),
            certificate_der: der.into(),
        })
    }
}

/// The keys of one identity provider: never none, at most [`TRUST_KEYS`]. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Trust(Arc<[TrustedKey]>);

impl Trust {
    /// Collects keys. The same key in several certificates counts once; the first certificate is shown.
    ///
    /// # Errors
    /// `NoKeys`, `TooManyKeys`.
    pub fn new(keys: Vec<TrustedKey>) -> Result<Self, CertError> {
        let mut distinct: Vec<TrustedKey> = Vec::new();
        for key in keys {
            if distinct
                .iter()
                .any(|other| other.public.same_as(&key.public))
            {
                continue;
            }
            if distinct.len() == TRUST_KEYS {
                return Err(CertError::TooManyKeys);
            }
            distinct.push(key);
        }
        if distinct.is_empty() {
            Err(CertError::NoKeys)
        } else {
            Ok(Self(distinct.into()))
        }
    }

    /// These keys and as many of `more`, in their order, as there is room for.
    #[must_use]
    pub fn with(&self, more: impl IntoIterator<Item = TrustedKey>) -> Self {
        let mut keys = self.0.to_vec();
        for key in more {
            if keys.len() < TRUST_KEYS && !self.holds(&key.id) {
                keys.push(key);
            }
        }
        Self(keys.into())
    }

    /// Whether a key is among them.
    pub fn holds(&self, id: &[u8; 32]) -> bool {
        self.0.iter().any(|key| key.id == *id)
    }

    /// The keys, at least one.
    pub fn keys(&self) -> &[TrustedKey] {
        &self.0
    }
}

/// A signature algorithm of XML Signature (RFC 9231 §2.3). Whether SHA-1 is allowed is the caller's policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignatureAlgorithm {
    /// `http://www.w3.org/2000/09/xmldsig#rsa-sha1`.
    RsaSha1,
    /// `http://www.w3.org/2001/04/xmldsig-more#rsa-sha256`.
    RsaSha256,
    /// `http://www.w3.org/2001/04/xmldsig-more#rsa-sha384`.
    RsaSha384,
    /// `http://www.w3.org/2001/04/xmldsig-more#rsa-sha512`.
    RsaSha512,
    /// `http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256`.
    EcdsaSha256,
    /// `http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384`.
    EcdsaSha384,
    /// `http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512`.
    EcdsaSha512,
}

impl SignatureAlgorithm {
    /// The scheme behind the name.
    pub fn scheme(self) -> Scheme {
        match self {
            Self::RsaSha1 => Scheme::RsaPkcs1(Digest::Sha1),
            Self::RsaSha256 => Scheme::RsaPkcs1(Digest::Sha256),
            Self::RsaSha384 => Scheme::RsaPkcs1(Digest::Sha384),
            Self::RsaSha512 => Scheme::RsaPkcs1(Digest::Sha512),
            Self::EcdsaSha256 => Scheme::Ecdsa(Digest::Sha256),
            Self::EcdsaSha384 => Scheme::Ecdsa(Digest::Sha384),
            Self::EcdsaSha512 => Scheme::Ecdsa(Digest::Sha512),
        }
    }
}

/// Verifies the signature value of an XML or redirect-binding signature over `octets`. ECDSA signatures are r‖s
/// in the curve's width (XML Signature 1.1 §6.4.3); any SHA-2 goes with any curve.
///
/// # Errors
/// `AlgorithmMismatch`, `SignatureMalformed`, `SignatureInvalid`, `OpenSsl`.
pub fn verify_signature(
    key: &TrustedKey,
    algorithm: SignatureAlgorithm,
    octets: &[u8],
    signature: &[u8],
) -> Result<(), CertError> {
    key.public.verify(algorithm.scheme(), octets, signature)
}

/// SHA-256 by OpenSSL's low-level interface, which looks no algorithm up.
pub fn sha256(octets: &[u8]) -> [u8; 32] {
    sha::sha256(octets)
}

fn only(mut keys: Vec<TrustedKey>) -> Result<TrustedKey, CertError> {
    match (keys.pop(), keys.is_empty()) {
        (Some(key), true) => Ok(key),
        _ => Err(CertError::NotACertificate),
    }
}

/// The length that the outermost DER element claims for itself, header included (X.690 §8.1.3).
fn encoded_length(der: &[u8]) -> Option<usize> {
    let (&first, rest) = der.get(1..)?.split_first()?;
    // The short form, up to 127 octets, has no room for a certificate.
    let width = usize::from(first.checked_sub(0x80)?);
    if !(1..=4).contains(&width) {
        return None;
    }
    let length = rest
        .get(..width)?
        .iter()
        .fold(0, |length, octet| length * 256 + usize::from(*octet));
    Some(2 + width + length)
}

fn fingerprint(der: &[u8]) -> String {
    let pairs: Vec<String> = sha::sha256(der)
        .iter()
        .map(|octet| format!("{octet:02X}"))
        .collect();
    pairs.join(":")
}

fn subject_text(name: &X509NameRef) -> String {
    let part = |entry: &openssl::x509::X509NameEntryRef| {
        let value = entry.data().to_string().ok()?;
        let label = entry.object().nid().short_name().unwrap_or("OID");
        Some(format!("{label}={value}"))
    };
    let text = name
        .entries()
        .filter_map(part)
        .collect::<Vec<_>>()
        .join(", ");
    text.chars()
        .filter(|character| !character.is_control())
        .take(SUBJECT_CHARS)
        .collect()
}

/// A moment of a certificate.
pub(crate) fn instant(time: &Asn1TimeRef) -> Option<Timestamp> {
    let distance = Asn1Time::from_unix(0).ok()?.diff(time).ok()?;
    let seconds = i64::from(distance.days) * 86_400 + i64::from(distance.secs);
    Timestamp::from_second(seconds).ok()
}

#[cfg(test)]
mod tests;
