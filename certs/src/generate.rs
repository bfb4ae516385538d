//! Making key pairs. OpenSSL's own generator is the source of randomness, for the reasons that [`key`](crate::key) gives.

use openssl::ec::{Asn1Flag, EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;

use crate::public_key::{Curve, KeyKind};

/// What kind of key is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum KeyShape {
    /// RSA with a modulus of 2048 bits.
    #[default]
    Rsa2048,
    /// RSA with a modulus of 3072 bits: 128 bits of security (NIST SP 800-57 part 1, table 2), at three times the cost.
    Rsa3072,
    /// An elliptic-curve key on P-256.
    P256,
}

impl KeyShape {
    /// Every shape.
    pub const ALL: [Self; 3] = [Self::Rsa2048, Self::Rsa3072, Self::P256];

    /// The word used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rsa2048 => "RSA-2048",
            Self::Rsa3072 => "RSA-3072",
            Self::P256 => "P-256",
        }
    }

    /// The shape with that word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shape| shape.as_str() == name)
    }

    /// The shape in which a key of that kind is followed: no weaker one.
    pub fn after(kind: KeyKind) -> Self {
        match kind {
            KeyKind::Rsa { bits } if bits <= 2048 => Self::Rsa2048,
            KeyKind::Rsa { .. } => Self::Rsa3072,
            KeyKind::Ec { .. } => Self::P256,
        }
    }

    pub(crate) fn generate(self) -> Result<PKey<Private>, ErrorStack> {
        match self {
            Self::Rsa2048 => PKey::from_rsa(Rsa::generate(2048)?),
            Self::Rsa3072 => PKey::from_rsa(Rsa::generate(3072)?),
            Self::P256 => {
                let mut group = EcGroup::from_curve_name(Curve::P256.nid())?;
                group.set_asn1_flag(Asn1Flag::NAMED_CURVE);
                PKey::from_ec_key(EcKey::generate(&group)?)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::public_key::kind_of;

    #[test]
    fn every_shape_makes_its_kind_and_is_followed_by_itself() {
        for shape in KeyShape::ALL {
            let kind = kind_of(&shape.generate().unwrap()).unwrap();
            assert_eq!(KeyShape::after(kind), shape);
            assert_eq!(KeyShape::from_name(shape.as_str()), Some(shape));
        }
        assert_eq!(
            KeyShape::after(KeyKind::Rsa { bits: 4096 }),
            KeyShape::Rsa3072
        );
        assert_eq!(KeyShape::from_name("RSA-1024"), None);
    }
}
