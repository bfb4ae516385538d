//! Our own pairs towards SAML identity providers, by stage of their life.

use crate::certified_key::CertifiedKey;
use crate::error::CertError;
use crate::keyring::{RING_KEYS, Stage};

/// The pairs of this gateway as a SAML service provider. The default has none: nothing is signed, nothing is decrypted.
#[derive(Clone, Debug, Default)]
pub struct SpKeys {
    signing: Vec<(CertifiedKey, Stage)>,
    decryption: Vec<(CertifiedKey, Stage)>,
}

impl SpKeys {
    /// Collects pairs. Where two of one purpose are active, the first one is used.
    ///
    /// # Errors
    /// `TooManyKeys`.
    pub fn new(
        signing: Vec<(CertifiedKey, Stage)>,
        decryption: Vec<(CertifiedKey, Stage)>,
    ) -> Result<Self, CertError> {
        if signing.len().max(decryption.len()) > RING_KEYS {
            return Err(CertError::TooManyKeys);
        }
        Ok(Self {
            signing,
            decryption,
        })
    }

    /// The pair that signs requests now.
    pub fn signer(&self) -> Option<&CertifiedKey> {
        in_stage(&self.signing, |stage| stage == Stage::Active).next()
    }

    /// The pairs that identity providers should know for our signatures: all that are not retired, the one that signs
    /// first, since some read one certificate and no more.
    pub fn signing(&self) -> impl Iterator<Item = &CertifiedKey> {
        in_order(
            &self.signing,
            [Stage::Active, Stage::Announced, Stage::Retiring],
        )
    }

    /// The pairs that identity providers should encrypt for. Those that come need no notice: nobody has to know them
    /// before the first message that they open.
    pub fn encryption(&self) -> impl Iterator<Item = &CertifiedKey> {
        in_stage(&self.decryption, |stage| stage == Stage::Active)
    }

    /// The pairs to decrypt with: all that are not retired, the likelier first.
    pub fn decryption(&self) -> impl Iterator<Item = &CertifiedKey> {
        in_order(
            &self.decryption,
            [Stage::Active, Stage::Retiring, Stage::Announced],
        )
    }
}

fn in_order(
    keys: &[(CertifiedKey, Stage)],
    stages: [Stage; 3],
) -> impl Iterator<Item = &CertifiedKey> {
    stages
        .into_iter()
        .flat_map(|wanted| in_stage(keys, move |stage| stage == wanted))
}

fn in_stage(
    keys: &[(CertifiedKey, Stage)],
    fits: impl Fn(Stage) -> bool,
) -> impl Iterator<Item = &CertifiedKey> {
    keys.iter()
        .filter(move |(_, stage)| fits(*stage))
        .map(|(key, _)| key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certified_key::CertifiedUse;
    use crate::samples;

    #[test]
    fn each_stage_has_its_uses() {
        let now = "2026-01-02T03:04:05Z".parse().unwrap();
        let pair = CertifiedKey::generate("sp", CertifiedUse::Signing, now, &mut samples::rng(1));
        let pair = pair.unwrap();
        for (stage, uses) in [
            (Stage::Announced, [false, true, false, true]),
            (Stage::Active, [true, true, true, true]),
            (Stage::Retiring, [false, true, false, true]),
            (Stage::Retired, [false, false, false, false]),
        ] {
            let one = || vec![(pair.clone(), stage)];
            let keys = SpKeys::new(one(), one()).unwrap();
            let found = [
                keys.signer().is_some(),
                keys.signing().next().is_some(),
                keys.encryption().next().is_some(),
                keys.decryption().next().is_some(),
            ];
            assert_eq!(found, uses, "{stage:?}");
        }
        let many = vec![(pair, Stage::Active); RING_KEYS + 1];
        let refused = SpKeys::new(many, Vec::new()).unwrap_err();
        assert_eq!(refused, CertError::TooManyKeys);
    }
}
