//! Keys as rows: the private half sealed for its purpose and id.

use fedgate_certs::Timestamp;
use fedgate_certs::certified_key::CertifiedKey;
use fedgate_certs::error::CertError;
use fedgate_certs::key::SigningKey;
use fedgate_certs::keyring::{KeyPurpose, Stage};
use fedgate_certs::public_key::KeyKind;
use fedgate_certs::seal::Sealer;
use rand::CryptoRng;

use crate::store::key::StoredKey;

/// Made here.
pub(crate) const GENERATED: &str = "generated";
/// Brought by an operator.
pub(crate) const IMPORTED: &str = "imported";

/// How a key is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    purpose: KeyPurpose,
    stage: Stage,
    source: &'static str,
    now: Timestamp,
}

impl Kept {
    /// One that was made here, and begins in that stage.
    pub(crate) fn new(purpose: KeyPurpose, stage: Stage, now: Timestamp) -> Self {
        let source = GENERATED;
        Self {
            purpose,
            stage,
            source,
            now,
        }
    }

    /// The same, brought by an operator.
    pub(crate) fn imported(self) -> Self {
        let source = IMPORTED;
        Self { source, ..self }
    }

    /// The row of a key that signs tokens.
    ///
    /// # Errors
    /// `OpenSsl`.
    pub(crate) fn token_key(
        self,
        sealer: &Sealer,
        key: &SigningKey,
        rng: &mut dyn CryptoRng,
    ) -> Result<StoredKey, CertError> {
        let boxed =
            sealer.seal_secret(self.purpose.as_str(), key.id(), &key.to_pkcs8_der()?, rng)?;
        Ok(self.row(key.id(), key.algorithm().as_str(), boxed, None))
    }

    /// The row of a pair for SAML.
    ///
    /// # Errors
    /// `OpenSsl`.
    pub(crate) fn pair(
        self,
        sealer: &Sealer,
        pair: &CertifiedKey,
        rng: &mut dyn CryptoRng,
    ) -> Result<StoredKey, CertError> {
        let algorithm = match (self.purpose, pair.kind()) {
            (KeyPurpose::SamlDecryption, _) => "RSA-OAEP",
            (_, KeyKind::Rsa { .. }) => "RS256",
            (_, KeyKind::Ec { .. }) => "ES256",
        };
        let boxed =
            sealer.seal_secret(self.purpose.as_str(), pair.id(), &pair.to_pkcs8_der()?, rng)?;
        Ok(self.row(pair.id(), algorithm, boxed, Some(pair.certificate_pem()?)))
    }

    fn row(
        self,
        id: &str,
        algorithm: &str,
        private_key: Vec<u8>,
        certificate: Option<String>,
    ) -> StoredKey {
        StoredKey {
            id: id.to_owned(),
            purpose: self.purpose.as_str().to_owned(),
            algorithm: algorithm.to_owned(),
            stage: self.stage.as_str().to_owned(),
            private_key,
            certificate,
            created_at: self.now,
            stage_at: self.now,
            source: self.source.to_owned(),
            used_at: None,
        }
    }
}
