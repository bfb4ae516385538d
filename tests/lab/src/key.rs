//! Keys of the lab, made at start and kept in memory.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fedgate::app::Clock;
use fedgate_certs::hex;
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use openssl::x509::{X509, X509NameBuilder};

/// How long a certificate of the lab is valid, in seconds.
const CERTIFICATE_SECONDS: i64 = 30 * 24 * 3600;
/// Bytes of each half of a P-256 signature.
const P256_HALF: i32 = 32;

/// What a key is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA of 2,048 bits.
    #[default]
    Rsa2048,
    /// ECDSA on P-256.
    EcP256,
}

/// A private key with a self-signed certificate around it.
#[derive(Debug)]
pub struct LabKey {
    id: String,
    private: PKey<Private>,
    certificate: X509,
}

impl LabKey {
    /// A new key; `name` is its certificate's subject.
    ///
    /// # Errors
    /// Those of OpenSSL.
    pub fn generate(kind: KeyKind, name: &str, clock: &Clock) -> Result<Self, ErrorStack> {
        let private = match kind {
            KeyKind::Rsa2048 => PKey::from_rsa(Rsa::generate(2048)?)?,
            KeyKind::EcP256 => {
                let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
                PKey::from_ec_key(EcKey::generate(&group)?)?
            }
        };
        let certificate = self_signed(&private, name, clock)?;
        let digest = certificate.digest(MessageDigest::sha256())?;
        let id = hex::with_prefix("", &digest[..8]);
        Ok(Self {
            id,
            private,
            certificate,
        })
    }

    /// The first 16 hex digits of the certificate's SHA-256 fingerprint.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The private key.
    pub fn private(&self) -> &PKey<Private> {
        &self.private
    }

    /// Whether it is an elliptic-curve key.
    pub fn is_elliptic(&self) -> bool {
        self.private.id() == Id::EC
    }

    /// The certificate as PEM.
    ///
    /// # Errors
    /// Those of OpenSSL.
    pub fn certificate_pem(&self) -> Result<String, ErrorStack> {
        self.certificate
            .to_pem()
            .map(|pem| String::from_utf8_lossy(&pem).into_owned())
    }

    /// The certificate's DER in base64, as in metadata.
    ///
    /// # Errors
    /// Those of OpenSSL.
    pub fn certificate_base64(&self) -> Result<String, ErrorStack> {
        self.certificate.to_der().map(|der| STANDARD.encode(der))
    }

    /// Signs: RSA with PKCS #1 v1.5, ECDSA as r‖s (RFC 4050 3.3, RFC 7518 3.4).
    ///
    /// # Errors
    /// Those of OpenSSL.
    pub fn sign(&self, digest: MessageDigest, octets: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        let signature = Signer::new(digest, &self.private)?.sign_oneshot_to_vec(octets)?;
        if !self.is_elliptic() {
            return Ok(signature);
        }
        let signature = EcdsaSig::from_der(&signature)?;
        let mut halves = signature.r().to_vec_padded(P256_HALF)?;
        halves.extend(signature.s().to_vec_padded(P256_HALF)?);
        Ok(halves)
    }
}

fn self_signed(key: &PKey<Private>, name: &str, clock: &Clock) -> Result<X509, ErrorStack> {
    let mut subject = X509NameBuilder::new()?;
    subject.append_entry_by_text("CN", name)?;
    let subject = subject.build();
    let now = clock.now().as_second();
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    builder.set_serial_number(&*BigNum::from_slice(&now.to_be_bytes())?.to_asn1_integer()?)?;
    builder.set_subject_name(&subject)?;
    builder.set_issuer_name(&subject)?;
    builder.set_pubkey(key)?;
    builder.set_not_before(&*Asn1Time::from_unix(now - 3600)?)?;
    builder.set_not_after(&*Asn1Time::from_unix(now + CERTIFICATE_SECONDS)?)?;
    builder.sign(key, MessageDigest::sha256())?;
    Ok(builder.build())
}
