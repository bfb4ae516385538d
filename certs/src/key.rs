//! Our own signing keys.
//!
//! Here OpenSSL's own generator is the source of randomness, not an argument: its interface for making key
//! pairs and signature nonces takes no other, it is the one that a FIPS module approves, and a caller who
//! could choose an ECDSA nonce could reveal the key.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::bn::{BigNum, BigNumContext, BigNumRef};
use openssl::ec::EcKeyRef;
use openssl::error::ErrorStack;
use openssl::md::Md;
use openssl::pkey::{PKey, PKeyRef, Private, Public};
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding;
use openssl::sha::sha256;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::contexts::Contexts;
use crate::error::CertError;
use crate::generate::KeyShape;
use crate::public_key::{Curve, KeyKind, PublicKey, fixed_width_of_der, kind_of};

/// What our own keys sign with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256, the default of OpenID Connect Registration.
    #[serde(rename = "RS256")]
    Rs256,
    /// ECDSA on P-256 with SHA-256; it costs a tenth.
    #[serde(rename = "ES256")]
    Es256,
}

impl SigningAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 2] = [Self::Rs256, Self::Es256];

    /// The name in JOSE (RFC 7518 §3.1).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }

    /// The algorithm with that name in JOSE.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
    }
}

/// A private key that signs, with its public half. Cheap to clone; clones share their prepared contexts.
#[derive(Clone)]
pub struct SigningKey(Arc<Inner>);

struct Inner {
    id: String,
    algorithm: SigningAlgorithm,
    private: PKey<Private>,
    public: PublicKey,
    jwk: Value,
    contexts: Contexts<(), Private>,
}

impl SigningKey {
    /// Makes a new key pair. RSA takes a tenth of a second and more: not for an async thread.
    ///
    /// # Errors
    /// `OpenSsl`.
    pub fn generate(algorithm: SigningAlgorithm) -> Result<Self, CertError> {
        Self::generate_shape(match algorithm {
            SigningAlgorithm::Rs256 => KeyShape::Rsa2048,
            SigningAlgorithm::Es256 => KeyShape::P256,
        })
    }

    /// Makes a new key pair of that shape. RSA takes a tenth of a second and more: not for an async thread.
    ///
    /// # Errors
    /// `OpenSsl`.
    pub fn generate_shape(shape: KeyShape) -> Result<Self, CertError> {
        Self::new(shape.generate()?)
    }

    /// Reads an unencrypted PKCS#8 key (RFC 5958). An RSA key signs RS256, a P-256 key ES256.
    ///
    /// # Errors
    /// `NotAKey`, `KeyTooWeak`, `KeyTooLarge`, `UnsoundKey`, `UnsupportedKey`.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, CertError> {
        let private = PKey::private_key_from_pkcs8(der).map_err(|_| CertError::NotAKey)?;
        Self::new(private)
    }

    /// The key as PKCS#8 (RFC 5958), unencrypted: to be sealed.
    ///
    /// # Errors
    /// `OpenSsl`.
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, CertError> {
        Ok(Zeroizing::new(self.0.private.private_key_to_pkcs8()?))
    }

    /// The key id (`kid`): the JWK thumbprint with SHA-256 in base64url (RFC 7638).
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// What it signs with.
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.0.algorithm
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.0.public
    }

    /// OpenSSL's view of the private key, for a certificate or for decryption.
    pub fn private(&self) -> &PKeyRef<Private> {
        &self.0.private
    }

    /// The public half as a JWK (RFC 7517) with `use`, `alg` and `kid`.
    pub fn public_jwk(&self) -> &Value {
        &self.0.jwk
    }

    /// Signs `message`; the signature has the form of JOSE (ES256: r‖s of 32 octets each, RFC 7518 §3.4).
    ///
    /// # Errors
    /// `OpenSsl`.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CertError> {
        let hash = sha256(message);
        let mut signature = Vec::new();
        self.0.contexts.with(
            (),
            || self.prepared(),
            |context| context.sign_to_vec(&hash, &mut signature),
        )?;
        match self.0.algorithm {
            SigningAlgorithm::Rs256 => Ok(signature),
            SigningAlgorithm::Es256 => Ok(fixed_width_of_der(&signature, Curve::P256)?),
        }
    }

    fn new(private: PKey<Private>) -> Result<Self, CertError> {
        let algorithm = match kind_of(&private)? {
            KeyKind::Rsa { .. } => SigningAlgorithm::Rs256,
            KeyKind::Ec { curve: Curve::P256 } => SigningAlgorithm::Es256,
            KeyKind::Ec { .. } => return Err(CertError::UnsupportedKey),
        };
        let public = PublicKey::from_spki_der(&private.public_key_to_der()?)?;
        let parameters = jwk_parameters(public.pkey(), algorithm)?;
        let id = URL_SAFE_NO_PAD.encode(sha256(parameters.to_string().as_bytes()));
        let jwk = published(&parameters, algorithm, &id);
        Ok(Self(Arc::new(Inner {
            id,
            algorithm,
            private,
            public,
            jwk,
            contexts: Contexts::new(),
        })))
    }

    fn prepared(&self) -> Result<PkeyCtx<Private>, ErrorStack> {
        let mut context = PkeyCtx::new(&self.0.private)?;
        context.sign_init()?;
        if self.0.algorithm == SigningAlgorithm::Rs256 {
            context.set_rsa_padding(Padding::PKCS1)?;
        }
        context.set_signature_md(Md::sha256())?;
        Ok(context)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SigningKey({}, {})",
            self.0.algorithm.as_str(),
            self.0.id
        )
    }
}

/// The required members in lexicographic order, which is the input of a thumbprint (RFC 7638 §3.2).
fn jwk_parameters(key: &PKeyRef<Public>, algorithm: SigningAlgorithm) -> Result<Value, ErrorStack> {
    Ok(match algorithm {
        SigningAlgorithm::Rs256 => {
            let rsa = key.rsa()?;
            json!({ "e": encoded(rsa.e()), "kty": "RSA", "n": encoded(rsa.n()) })
        }
        SigningAlgorithm::Es256 => {
            let (x, y) = coordinates(&*key.ec_key()?)?;
            json!({ "crv": Curve::P256.name(), "kty": "EC", "x": x, "y": y })
        }
    })
}

fn encoded(number: &BigNumRef) -> String {
    URL_SAFE_NO_PAD.encode(number.to_vec())
}

fn coordinates(key: &EcKeyRef<Public>) -> Result<(String, String), ErrorStack> {
    let (mut x, mut y) = (BigNum::new()?, BigNum::new()?);
    let mut scratch = BigNumContext::new()?;
    key.public_key()
        .affine_coordinates(key.group(), &mut x, &mut y, &mut scratch)?;
    Ok((
        URL_SAFE_NO_PAD.encode(x.to_vec_padded(32)?),
        URL_SAFE_NO_PAD.encode(y.to_vec_padded(32)?),
    ))
}

fn published(parameters: &Value, algorithm: SigningAlgorithm, id: &str) -> Value {
    let mut jwk = json!({ "kid": id, "use": "sig", "alg": algorithm.as_str() });
    for (name, value) in parameters.as_object().into_iter().flatten() {
        jwk[name] = value.clone();
    }
    jwk
}

#[cfg(test)]
mod tests {
    use openssl::nid::Nid;
    use openssl::rsa::Rsa;

    use super::*;
    use crate::public_key::{Digest, Scheme};
    use crate::samples;

    #[test]
    fn a_key_survives_pkcs8_with_its_id() {
        for key in [samples::rsa(), samples::p256()] {
            let read = SigningKey::from_pkcs8_der(&key.to_pkcs8_der().unwrap()).unwrap();
            assert_eq!(
                (read.id(), read.algorithm(), read.public_jwk()),
                (key.id(), key.algorithm(), key.public_jwk())
            );
        }
    }

    /// RFC 7638 §3.1.
    #[test]
    fn the_thumbprint_is_that_of_the_rfc() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let modulus = BigNum::from_slice(&URL_SAFE_NO_PAD.decode(n).unwrap()).unwrap();
        let exponent = BigNum::from_u32(65537).unwrap();
        let key = PKey::from_rsa(Rsa::from_public_components(modulus, exponent).unwrap()).unwrap();
        let parameters = jwk_parameters(&key, SigningAlgorithm::Rs256).unwrap();
        let thumbprint = URL_SAFE_NO_PAD.encode(sha256(parameters.to_string().as_bytes()));
        assert_eq!(thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn the_published_key_has_exactly_the_public_members() {
        let names = |key: &SigningKey| {
            let mut names: Vec<String> = key
                .public_jwk()
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect();
            names.sort();
            names.join(" ")
        };
        assert_eq!(names(&samples::rsa()), "alg e kid kty n use");
        assert_eq!(names(&samples::p256()), "alg crv kid kty use x y");
    }

    #[test]
    fn signatures_verify_with_the_public_half() {
        let (rsa, ec) = (samples::rsa(), samples::p256());
        let verified = |key: &SigningKey, scheme| {
            let signature = key.sign(b"message").unwrap();
            key.public().verify(scheme, b"message", &signature)
        };
        assert_eq!(verified(&rsa, Scheme::RsaPkcs1(Digest::Sha256)), Ok(()));
        assert_eq!(verified(&ec, Scheme::Ecdsa(Digest::Sha256)), Ok(()));
    }

    #[test]
    fn keys_that_cannot_sign_for_us_are_refused() {
        let read = |key: &PKey<Private>| {
            SigningKey::from_pkcs8_der(&key.private_key_to_pkcs8().unwrap()).unwrap_err()
        };
        let weak = PKey::from_rsa(Rsa::generate(1024).unwrap()).unwrap();
        assert_eq!(read(&weak), CertError::KeyTooWeak);
        assert_eq!(
            read(&samples::ec(Nid::SECP384R1)),
            CertError::UnsupportedKey
        );
        assert_eq!(
            read(&samples::ec(Nid::SECP256K1)),
            CertError::UnsupportedKey
        );
        assert_eq!(
            read(&PKey::generate_ed25519().unwrap()),
            CertError::UnsupportedKey
        );
        for der in [
            &b""[..],
            b"junk",
            &samples::rsa().public().pkey().public_key_to_der().unwrap(),
        ] {
            assert_eq!(
                SigningKey::from_pkcs8_der(der).unwrap_err(),
                CertError::NotAKey
            );
        }
    }

    #[test]
    fn debug_output_holds_no_key() {
        let key = samples::p256();
        assert_eq!(
            format!("{key:?}"),
            format!("SigningKey(ES256, {})", key.id())
        );
    }
}
