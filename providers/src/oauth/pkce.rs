//! Proof Key for Code Exchange (RFC 7636) and the nonce of OpenID Connect: what binds a code to one login.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth2::{PkceCodeChallenge, PkceCodeVerifier};
use rand::CryptoRng;

/// 256 bits, as RFC 7636 section 7.1 recommends: 43 characters.
const SECRET_BYTES: usize = 32;

/// A fresh code verifier with its S256 challenge.
pub(super) fn proof_key(rng: &mut dyn CryptoRng) -> (PkceCodeVerifier, PkceCodeChallenge) {
    let verifier = PkceCodeVerifier::new(secret(rng));
    let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
    (verifier, challenge)
}

/// A fresh nonce.
pub(super) fn nonce(rng: &mut dyn CryptoRng) -> String {
    secret(rng)
}

fn secret(rng: &mut dyn CryptoRng) -> String {
    let mut bytes = [0; SECRET_BYTES];
    rng.fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}
