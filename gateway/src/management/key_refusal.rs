//! What is refused about the gateway's own keys.

use fedgate_certs::error::CertError;
use fedgate_providers::error::Refusal;
use fedgate_providers::refusals;

refusals! {
    /// What is refused about the gateway's own keys.
    pub enum KeyRefusal in "key" {
        /// No key of the gateway has this id.
        Unknown = "unknown", Application,
            says "There is no such key.",
            fix "List the keys to find the right id.";
        /// The private key cannot be read: it is no unencrypted key in PEM.
        NotAKey = "not_a_key", Application,
            says "The private key cannot be read.",
            fix "Send the private key as unencrypted PEM, from BEGIN PRIVATE KEY to END PRIVATE KEY, or a PKCS#12 file with its password.";
        /// The certificate cannot be read.
        NotACertificate = "not_a_certificate", Application,
            says "The certificate cannot be read.",
            fix "Send the certificate as PEM, from BEGIN CERTIFICATE to END CERTIFICATE; of a chain, the key's own certificate first.";
        /// The certificate was made for another key.
        Mismatch = "mismatch", Application,
            says "The certificate belongs to another key.",
            fix "Send the private key that the certificate was issued for; compare openssl pkey -pubout with openssl x509 -pubkey.";
        /// The file is no PKCS#12 file that can be opened here: it is damaged, too large, stretches its password for minutes, or encrypts with an algorithm of the last century.
        NotPkcs12 = "not_pkcs12", Application,
            says "The PKCS#12 file cannot be read.",
            fix "Export it again with AES, at most 64 KiB, as base64: openssl pkcs12 -export -keypbe AES-256-CBC -certpbe AES-256-CBC.";
        /// The password does not open the PKCS#12 file.
        WrongPassword = "wrong_password", Application,
            says "The password does not open the PKCS#12 file.",
            fix "Send the password that the file was exported with.";
        /// The key is too weak: RSA below 2048 bits, or made by a chip known to be flawed.
        TooWeak = "too_weak", Application,
            says "The key is too weak.",
            fix "Use RSA with 2048 bits or more; 3072 are better.";
        /// The key is too large: every signature with it would cost more than it is worth.
        TooLarge = "too_large", Application,
            says "The key is too large.",
            fix "Use RSA with at most 8192 bits.";
        /// The kind of key cannot be used for this purpose.
        Unsupported = "unsupported", Application,
            says "This kind of key cannot be used here.",
            fix "Use RSA for SAML; for tokens RSA or P-256. DSA, EdDSA and other curves are not supported.";
        /// The certificate ends before its key could be announced and used.
        EndsTooSoon = "ends_too_soon", Application,
            says "The certificate ends too soon.",
            fix "Have a certificate issued that is valid beyond the moment named under expected.";
        /// The gateway has this key already.
        Taken = "taken", Application,
            says "The gateway has this key already.",
            fix "Make another key; a key has one purpose for life and is not brought back.";
        /// Another key of this purpose is announced already, or too many are kept.
        Underway = "underway", Application,
            says "Another key of this purpose is on its way already.",
            fix "Activate or retire the key that is announced first; of old ones, wait until they are removed.";
        /// The key is not in a stage from which this can be done.
        Stage = "stage", Application,
            says "The key is not in the stage for this.",
            fix "Activate a key that is announced. Retire one that is announced or retiring; an active one goes when another is activated.";
    }
}

/// Why a pair was not taken. What OpenSSL says of a key goes into no refusal.
pub(super) fn unusable(error: &CertError) -> Option<Refusal> {
    let leaf = match error {
        CertError::NotAKey | CertError::UnsoundKey => KeyRefusal::NotAKey,
        CertError::NotACertificate => KeyRefusal::NotACertificate,
        CertError::KeyMismatch => KeyRefusal::Mismatch,
        CertError::NotPkcs12 => KeyRefusal::NotPkcs12,
        CertError::WrongPassword => KeyRefusal::WrongPassword,
        CertError::KeyTooWeak => KeyRefusal::TooWeak,
        CertError::KeyTooLarge => KeyRefusal::TooLarge,
        CertError::UnsupportedKey => KeyRefusal::Unsupported,
        _ => return None,
    };
    Some(leaf.into())
}
