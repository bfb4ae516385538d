//! Keys and certificates: what seals, signs and is trusted. No HTTP and no SQL live here.
//!
//! All cryptography is OpenSSL's. Randomness and time are arguments, with one exception: OpenSSL makes
//! key pairs and signature nonces with its own generator (see [`key`]).

pub mod certified_key;
pub mod decryption;
pub mod error;
pub mod forecast;
pub mod generate;
pub mod hex;
pub mod import;
pub mod jose;
pub mod json;
pub mod jwks;
pub mod key;
pub mod keyring;
pub mod public_key;
pub mod rotation;
pub mod seal;
pub mod sp_keys;
pub mod trust;

mod contexts;
#[cfg(test)]
mod samples;

pub use error::CertError;
pub use jiff::Timestamp;
