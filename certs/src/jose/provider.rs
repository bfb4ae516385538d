//! `jsonwebtoken` over OpenSSL.
//!
//! That library hands a provider nothing but an [`EncodingKey`], which is bytes: parsing a private key from them
//! would cost more than an ES256 signature. So the key never becomes bytes. It is laid into this thread's hand,
//! and the provider's factory, called on the same thread within [`encode`], takes it from there.

use std::cell::Cell;
use std::sync::OnceLock;

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::signature::{self, Signer};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, encode};
use serde::Serialize;

use crate::error::CertError;
use crate::key::{SigningAlgorithm, SigningKey};

thread_local! {
    static IN_HAND: Cell<Option<SigningKey>> = const { Cell::new(None) };
}

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: signer_in_hand,
    verifier_factory: no_verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

pub(super) fn sign(
    key: &SigningKey,
    typ: &str,
    claims: &impl Serialize,
) -> Result<String, CertError> {
    if !installed() {
        return Err(CertError::NotSigned);
    }
    let (algorithm, placeholder) = match key.algorithm() {
        SigningAlgorithm::Rs256 => (Algorithm::RS256, EncodingKey::from_rsa_der(&[])),
        SigningAlgorithm::Es256 => (Algorithm::ES256, EncodingKey::from_ec_der(&[])),
    };
    let mut header = Header::new(algorithm);
    header.typ = Some(typ.to_owned());
    header.kid = Some(key.id().to_owned());
    IN_HAND.set(Some(key.clone()));
    let token = encode(&header, claims, &placeholder);
    IN_HAND.set(None);
    token.map_err(|_| CertError::NotSigned)
}

/// Whether this provider is the process's one; another would try to parse the placeholder.
fn installed() -> bool {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    *INSTALLED.get_or_init(|| PROVIDER.install_default().is_ok())
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature is jsonwebtoken's"
)]
fn signer_in_hand(_: &Algorithm, _: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    let key = IN_HAND.take().ok_or(ErrorKind::InvalidKeyFormat)?;
    Ok(Box::new(OpensslSigner(key)))
}

/// Tokens are verified by the parent module.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature is jsonwebtoken's"
)]
fn no_verifier(_: &Algorithm, _: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    Err(ErrorKind::UnsupportedAlgorithm.into())
}

struct OpensslSigner(SigningKey);

impl Signer<Vec<u8>> for OpensslSigner {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        self.0.sign(message).map_err(signature::Error::from_source)
    }
}

impl JwtSigner for OpensslSigner {
    fn algorithm(&self) -> Algorithm {
        match self.0.algorithm() {
            SigningAlgorithm::Rs256 => Algorithm::RS256,
            SigningAlgorithm::Es256 => Algorithm::ES256,
        }
    }
}
