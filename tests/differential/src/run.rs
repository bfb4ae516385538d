//! A run of the strict verifier beside another implementation.

use std::collections::BTreeMap;

use fedgate_providers::error::Refusal;
use fedgate_providers::saml::second_opinion::samael;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::choices::Choices;
use crate::document::template;
use crate::draft::Draft;
use crate::edit::edited;
use crate::sign::{ECDSA, RSA, Signer};
use crate::verdict::signed_octets;

/// Octets of one document's choices.
const OCTETS: usize = 8_000;
/// Disagreements that are kept whole.
const KEPT: usize = 20;

/// What two verifiers said of many documents.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Documents judged.
    pub documents: u64,
    /// Accepted by both, over the same octets.
    pub accepted: u64,
    /// Accepted by both, of those that were changed before they were signed.
    pub accepted_changed: u64,
    /// Refused by the strict one, by code.
    pub refused: BTreeMap<&'static str, u64>,
    /// Accepted by the strict one, and not so by the other.
    pub disagreements: Vec<Disagreement>,
}

/// A document on which the two differ.
#[derive(Clone, Debug)]
pub struct Disagreement {
    /// The document.
    pub xml: String,
    /// What the other said.
    pub other: String,
}

/// Documents one after the other, the same for the same seed but for the keys.
#[derive(Debug)]
pub struct Run {
    signer: Signer,
    chance: StdRng,
}

impl Run {
    /// With new keys.
    pub fn new(seed: u64) -> Self {
        Self {
            signer: Signer::fresh(),
            chance: StdRng::seed_from_u64(seed),
        }
    }

    /// Judges so many documents.
    pub fn of(&mut self, documents: u64) -> Tally {
        let mut tally = Tally::default();
        for _ in 0..documents {
            let mut octets = vec![0; OCTETS];
            self.chance.fill(&mut octets[..]);
            self.judge(&octets, &mut tally);
        }
        tally
    }

    /// One document: as written, changed before it is signed, after that, or both.
    fn judge(&self, octets: &[u8], tally: &mut Tally) {
        let mut choices = Choices::new(octets);
        let before = choices.below(8).saturating_sub(5);
        let before = choices.script(before);
        let after = choices.below(8).saturating_sub(5);
        let after = choices.script(after);
        let methods = if choices.one_in(16) { RSA } else { ECDSA };
        let method = choices.pick(&methods);
        let draft = Draft::of(&mut choices);
        let template = template(&draft, method, &mut choices);
        let Ok(changed) = String::from_utf8(edited(&template, &before)) else {
            return;
        };
        let signed = edited(&self.signer.sign(&changed), &after);
        if let Ok(xml) = String::from_utf8(signed) {
            tally.documents += 1;
            let strict = signed_octets(xml.as_bytes(), &self.signer.trust);
            self.compare(strict, xml, !before.is_empty(), tally);
        }
    }

    fn compare(
        &self,
        strict: Result<Vec<u8>, Refusal>,
        xml: String,
        changed: bool,
        tally: &mut Tally,
    ) {
        let octets = match strict {
            Ok(octets) => octets,
            Err(refusal) => {
                *tally.refused.entry(refusal.code()).or_default() += 1;
                // Only what the strict one has let through may reach the other: it fetches what References name.
                return;
            }
        };
        let other = match samael::signed_octets(xml.as_bytes(), &self.signer.trust) {
            Ok(same) if same == octets => {
                tally.accepted += 1;
                tally.accepted_changed += u64::from(changed);
                return;
            }
            Ok(others) => format!("other octets: {}", String::from_utf8_lossy(&others)),
            Err(error) => error,
        };
        if tally.disagreements.len() < KEPT {
            tally.disagreements.push(Disagreement { xml, other });
        }
    }
}
