//! samael, which is libxmlsec1 and libxml2.

use ::samael::crypto::{
    AllowedSignatureAlgorithm, CertificateDer, Crypto, CryptoProvider as _, ReduceMode,
};
use fedgate_certs::trust::{KeyKind, Trust, TrustedKey};

/// As the strict verifier allows.
const ALLOWED: [AllowedSignatureAlgorithm; 6] = [
    AllowedSignatureAlgorithm::RsaSha256,
    AllowedSignatureAlgorithm::RsaSha384,
    AllowedSignatureAlgorithm::RsaSha512,
    AllowedSignatureAlgorithm::EcdsaSha256,
    AllowedSignatureAlgorithm::EcdsaSha384,
    AllowedSignatureAlgorithm::EcdsaSha512,
];

/// What the outermost signature of a document covers, in canonical form, where every signature verifies.
///
/// Only for documents that the strict verifier has accepted: it fetches what a Reference names.
///
/// # Errors
/// In its words.
pub fn signed_octets(document: &[u8], trust: &Trust) -> Result<Vec<u8>, String> {
    let document = std::str::from_utf8(document).map_err(|error| error.to_string())?;
    let is_rsa = |key: &&TrustedKey| matches!(key.kind, KeyKind::Rsa { .. });
    let (rsa, elliptic): (Vec<_>, Vec<_>) = trust.keys().iter().partition(is_rsa);
    // A key of the wrong kind is an error to it, and ends its search for the right one: it gets one kind at a time.
    let mut verdict = Err("no keys".to_owned());
    for keys in [rsa, elliptic].iter().filter(|keys| !keys.is_empty()) {
        verdict = with(document, keys);
        if verdict.is_ok() {
            break;
        }
    }
    verdict
}

fn with(document: &str, keys: &[&TrustedKey]) -> Result<Vec<u8>, String> {
    let certificates: Vec<CertificateDer> = keys
        .iter()
        .map(|key| key.certificate_der.to_vec().into())
        .collect();
    let reduced = Crypto::reduce_xml_to_signed_with_allowed_algorithms(
        document,
        &certificates,
        ReduceMode::PreDigest,
        Some(&ALLOWED),
    );
    reduced
        .map(String::into_bytes)
        .map_err(|error| error.to_string())
}
