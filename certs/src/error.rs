//! What this crate refuses.

use openssl::error::ErrorStack;

/// Every failure of this crate, one leaf for one fact.
///
/// Two errors are equal when they are the same leaf, whatever their sources. None of them holds a secret,
/// a token or any other input.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CertError {
    /// The bytes are not a key in the expected encoding.
    #[error("not a key in the expected encoding")]
    NotAKey,
    /// The bytes are not one X.509 certificate (RFC 5280), or more follows it.
    #[error("not an X.509 certificate")]
    NotACertificate,
    /// An RSA modulus below [`RSA_MIN_BITS`](crate::public_key::RSA_MIN_BITS), or one that a flawed chip made
    /// (CVE-2017-15361).
    #[error("RSA key below 2048 bits or factorable")]
    KeyTooWeak,
    /// An RSA modulus above [`RSA_MAX_BITS`](crate::public_key::RSA_MAX_BITS).
    #[error("RSA key above 8192 bits")]
    KeyTooLarge,
    /// An RSA exponent that is even, below 3 or above 2^32, an even modulus, or a point that is not on its curve.
    #[error("key with unsound parameters")]
    UnsoundKey,
    /// A kind of key or a curve that is not supported: RSA, P-256, P-384 and P-521 are.
    #[error("unsupported kind of key")]
    UnsupportedKey,
    /// A certificate that was made for another key.
    #[error("certificate of another key")]
    KeyMismatch,
    /// The bytes are not a PKCS #12 file (RFC 7292) that can be opened here, or one that takes too long to open.
    #[error("not a PKCS#12 file")]
    NotPkcs12,
    /// A PKCS #12 file with another password.
    #[error("wrong password")]
    WrongPassword,
    /// A set of keys without a key.
    #[error("no keys")]
    NoKeys,
    /// A set with more keys than its limit.
    #[error("too many keys")]
    TooManyKeys,
    /// Two different keys under one key id.
    #[error("two different keys have the same key id")]
    DuplicateKeyId,
    /// A set of public keys holds a private or a symmetric one.
    #[error("private key material in a public key set")]
    PrivateKey,
    /// The bytes are not a JWK Set (RFC 7517 §5).
    #[error("not a JWK set")]
    NotAJwks,
    /// A JWK Set above [`JWKS_BYTES`](crate::jwks::JWKS_BYTES).
    #[error("JWK set too large")]
    JwksTooLarge,
    /// The text is not the content of a master key file.
    #[error("not a master key file")]
    NotAMasterKey,
    /// A box that does not open: another key, purpose, context or day, or tampered with. It is not told which.
    #[error("sealed box does not open")]
    Unsealable,
    /// What was encrypted for us does not decrypt. It is not told at which step.
    #[error("does not decrypt")]
    Undecryptable,
    /// The signature algorithm does not go with this kind of key.
    #[error("signature algorithm does not fit the key")]
    AlgorithmMismatch,
    /// An ECDSA signature of the wrong width, or with r or s outside 1..n-1.
    #[error("malformed signature")]
    SignatureMalformed,
    /// The signature is not that key's signature over those octets.
    #[error("signature does not verify")]
    SignatureInvalid,
    /// A token above [`TOKEN_BYTES`](crate::jose::TOKEN_BYTES).
    #[error("token too large")]
    TokenTooLarge,
    /// Not a JWS in the compact serialization with JSON objects inside (RFC 7515 §7.1).
    #[error("not a signed JWT")]
    NotAToken,
    /// A JSON object has the same member twice (RFC 7515 §4).
    #[error("duplicate JSON member")]
    DuplicateMember,
    /// The header has `crit` (RFC 7515 §4.1.11); no extension is understood here.
    #[error("token has critical header parameters that are not understood")]
    CriticalHeader,
    /// `alg` is absent, unknown or not allowed for this key or caller.
    #[error("token algorithm not allowed")]
    AlgorithmRefused,
    /// `typ` is not the expected one (RFC 8725 §3.11).
    #[error("token type not allowed")]
    TypeRefused,
    /// No key of the set has that `kid`, or none fits a token without one.
    #[error("no key for this token")]
    KeyUnknown,
    /// The token has no `kid` and several keys fit.
    #[error("token names no key and several fit")]
    KeyAmbiguous,
    /// A date claim is missing or is not a NumericDate (RFC 7519 §2).
    #[error("token date missing or malformed")]
    DateMalformed,
    /// `exp` has passed.
    #[error("token expired")]
    Expired,
    /// `nbf` lies ahead.
    #[error("token not valid yet")]
    NotYetValid,
    /// The claims cannot be written as JSON, or no signature was produced.
    #[error("token could not be signed")]
    NotSigned,
    /// OpenSSL failed on sound input: memory, or a policy of the host that forbids an algorithm.
    #[error("OpenSSL failed")]
    OpenSsl(#[from] ErrorStack),
}

impl PartialEq for CertError {
    fn eq(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl Eq for CertError {}
