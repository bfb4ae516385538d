//! openidconnect's key trait over OpenSSL, so that its own RSA and elliptic curve code is never reached.

use fedgate_certs::jose::JwsAlgorithm;
use fedgate_certs::jwks::PublishedKey;
use fedgate_certs::public_key::{KeyKind, Scheme};
use openidconnect::core::{CoreJsonWebKeyType, CoreJsonWebKeyUse, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKey, JsonWebKeyAlgorithm, JsonWebKeyId, SignatureVerificationError};
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One published key, bound to the one algorithm that it may be used with for this token.
#[derive(Clone, Debug)]
pub(super) struct VerificationKey {
    id: Option<JsonWebKeyId>,
    algorithm: CoreJwsSigningAlgorithm,
    /// Absent in the key that the trait makes of a shared secret, which verifies nothing.
    published: Option<(PublishedKey, Scheme)>,
}

impl VerificationKey {
    pub(super) fn new(key: PublishedKey, algorithm: JwsAlgorithm) -> Self {
        Self {
            id: key.id.clone().map(JsonWebKeyId::new),
            algorithm: core_algorithm(algorithm),
            published: Some((key, algorithm.scheme())),
        }
    }

    /// The algorithm in the crate's own words.
    pub(super) fn algorithm(&self) -> CoreJwsSigningAlgorithm {
        self.algorithm.clone()
    }
}

impl JsonWebKey for VerificationKey {
    type KeyUse = CoreJsonWebKeyUse;
    type SigningAlgorithm = CoreJwsSigningAlgorithm;

    fn key_id(&self) -> Option<&JsonWebKeyId> {
        self.id.as_ref()
    }

    fn key_type(&self) -> &CoreJsonWebKeyType {
        match self.published.as_ref().map(|(key, _)| key.public.kind()) {
            Some(KeyKind::Rsa { .. }) => &CoreJsonWebKeyType::RSA,
            Some(KeyKind::Ec { .. }) => &CoreJsonWebKeyType::EllipticCurve,
            None => &CoreJsonWebKeyType::Symmetric,
        }
    }

    /// Keys for another use were left out when the set was read.
    fn key_use(&self) -> Option<&CoreJsonWebKeyUse> {
        None
    }

    fn signing_alg(&self) -> JsonWebKeyAlgorithm<&CoreJwsSigningAlgorithm> {
        JsonWebKeyAlgorithm::Algorithm(&self.algorithm)
    }

    fn new_symmetric(_: Vec<u8>) -> Self {
        Self {
            id: None,
            algorithm: CoreJwsSigningAlgorithm::None,
            published: None,
        }
    }

    fn verify_signature(
        &self,
        algorithm: &CoreJwsSigningAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureVerificationError> {
        match &self.published {
            Some((key, scheme)) if *algorithm == self.algorithm => key
                .public
                .verify(*scheme, message, signature)
                .map_err(|error| SignatureVerificationError::CryptoError(error.to_string())),
            _ => Err(SignatureVerificationError::DisallowedAlg(format!(
                "{algorithm:?}"
            ))),
        }
    }

    /// For `at_hash` and `c_hash`, which are compared by this crate's own claims.
    fn hash_bytes(&self, _: &[u8], _: &CoreJwsSigningAlgorithm) -> Result<Vec<u8>, String> {
        Err("hashes are compared elsewhere".to_owned())
    }
}

/// Keys come from the certs crate's own reader, never from this trait's.
impl<'de> Deserialize<'de> for VerificationKey {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom("keys are read elsewhere"))
    }
}

impl Serialize for VerificationKey {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("keys are not written"))
    }
}

fn core_algorithm(algorithm: JwsAlgorithm) -> CoreJwsSigningAlgorithm {
    match algorithm {
        JwsAlgorithm::Rs256 => CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
        JwsAlgorithm::Rs384 => CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
        JwsAlgorithm::Rs512 => CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
        JwsAlgorithm::Ps256 => CoreJwsSigningAlgorithm::RsaSsaPssSha256,
        JwsAlgorithm::Ps384 => CoreJwsSigningAlgorithm::RsaSsaPssSha384,
        JwsAlgorithm::Ps512 => CoreJwsSigningAlgorithm::RsaSsaPssSha512,
        JwsAlgorithm::Es256 => CoreJwsSigningAlgorithm::EcdsaP256Sha256,
        JwsAlgorithm::Es384 => CoreJwsSigningAlgorithm::EcdsaP384Sha384,
        JwsAlgorithm::Es512 => CoreJwsSigningAlgorithm::EcdsaP521Sha512,
    }
}
