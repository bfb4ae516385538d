//! The signature algorithms of JOSE that are supported.

use crate::key::SigningAlgorithm;
use crate::public_key::{Curve, Digest, KeyKind, Scheme};

/// An asymmetric signature algorithm (RFC 7518 §3.1). `none` and the HMAC ones do not exist here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JwsAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
}

impl JwsAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 9] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Es512,
    ];

    /// The name in a header. Names are compared exactly (RFC 7515 §4.1.1).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
        }
    }

    /// The algorithm with that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
    }

    /// The scheme behind the name.
    pub fn scheme(self) -> Scheme {
        match self {
            Self::Rs256 => Scheme::RsaPkcs1(Digest::Sha256),
            Self::Rs384 => Scheme::RsaPkcs1(Digest::Sha384),
            Self::Rs512 => Scheme::RsaPkcs1(Digest::Sha512),
            Self::Ps256 => Scheme::RsaPss(Digest::Sha256),
            Self::Ps384 => Scheme::RsaPss(Digest::Sha384),
            Self::Ps512 => Scheme::RsaPss(Digest::Sha512),
            Self::Es256 => Scheme::Ecdsa(Digest::Sha256),
            Self::Es384 => Scheme::Ecdsa(Digest::Sha384),
            Self::Es512 => Scheme::Ecdsa(Digest::Sha512),
        }
    }

    /// Whether a key of that kind can be used. In JOSE the name fixes the curve too (RFC 7518 §3.4).
    pub fn fits(self, kind: KeyKind) -> bool {
        match kind {
            KeyKind::Rsa { .. } => !matches!(self, Self::Es256 | Self::Es384 | Self::Es512),
            KeyKind::Ec { curve: Curve::P256 } => self == Self::Es256,
            KeyKind::Ec { curve: Curve::P384 } => self == Self::Es384,
            KeyKind::Ec { curve: Curve::P521 } => self == Self::Es512,
        }
    }
}

impl From<SigningAlgorithm> for JwsAlgorithm {
    fn from(algorithm: SigningAlgorithm) -> Self {
        match algorithm {
            SigningAlgorithm::Rs256 => Self::Rs256,
            SigningAlgorithm::Es256 => Self::Es256,
        }
    }
}
