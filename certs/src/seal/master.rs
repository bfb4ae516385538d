//! The one secret that everything sealed depends on.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::sha::sha256;
use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::error::CertError;
use crate::json;

/// What a master key file begins with; the digit is the version of the format.
const FILE_PREFIX: &str = "fedgate-master-key-1:";

/// 32 random octets, wiped when dropped.
pub struct MasterKey(Box<Zeroizing<[u8; 32]>>);

impl MasterKey {
    /// Draws a new key.
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut key = Self(Box::new(Zeroizing::new([0; 32])));
        rng.fill_bytes(&mut key.0[..]);
        key
    }

    /// Reads the content of a master key file: one line, with or without its line break.
    ///
    /// # Errors
    /// `NotAMasterKey`.
    pub fn from_file_text(text: &str) -> Result<Self, CertError> {
        let body = text
            .trim()
            .strip_prefix(FILE_PREFIX)
            .ok_or(CertError::NotAMasterKey)?;
        let octets = Zeroizing::new(json::base64url(body).ok_or(CertError::NotAMasterKey)?);
        let octets =
            <&[u8; 32]>::try_from(octets.as_slice()).map_err(|_| CertError::NotAMasterKey)?;
        Ok(Self(Box::new(Zeroizing::new(*octets))))
    }

    /// The content of a master key file: one line that names its format.
    pub fn to_file_text(&self) -> Zeroizing<String> {
        let body = Zeroizing::new(URL_SAFE_NO_PAD.encode(self.octets()));
        Zeroizing::new([FILE_PREFIX, &body, "\n"].concat())
    }

    /// The key id: the first four octets of its SHA-256. It tells keys apart and reveals nothing of use.
    pub fn id(&self) -> [u8; 4] {
        let [first, second, third, fourth, ..] = sha256(self.octets());
        [first, second, third, fourth]
    }

    /// The same key once more.
    pub(super) fn copied(&self) -> Self {
        Self(self.0.clone())
    }

    /// The key of these octets.
    pub(super) fn from_octets(octets: &[u8]) -> Result<Self, CertError> {
        let octets = <&[u8; 32]>::try_from(octets).map_err(|_| CertError::NotAMasterKey)?;
        Ok(Self(Box::new(Zeroizing::new(*octets))))
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.0[..]
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey")
    }
}
