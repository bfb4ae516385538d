//! Keys beside the live document: those that it does not name any more and that are trusted for a while, those of a
//! document that waits for a person, and those that a person revoked.

use fedgate_certs::Timestamp;
use fedgate_certs::trust::{TRUST_KEYS, Trust, TrustedKey};
use jiff::SignedDuration;

use super::change::missing_from;
use super::{IdpMetadata, MetadataRefusal};
use crate::error::Refusal;

/// A key that the live document does not name and that is trusted nevertheless.
#[derive(Clone, Debug)]
pub struct KeyBeside {
    /// The key.
    pub key: TrustedKey,
    /// When it drops by itself; none: with the decision on the document that brought it.
    pub until: Option<Timestamp>,
}

/// What a connection trusts beside its live document, and what it does not trust whatever the document says.
#[derive(Clone, Debug, Default)]
pub struct KeysBeside {
    /// Trusted beside it, at most [`TRUST_KEYS`].
    pub trusted: Vec<KeyBeside>,
    /// Revoked by a person, by [`TrustedKey::id`].
    pub revoked: Vec<[u8; 32]>,
}

impl KeysBeside {
    /// The keys of a document without those that were revoked.
    ///
    /// # Errors
    /// `metadata.keys_revoked` where none is left.
    pub(crate) fn sound(&self, trust: &Trust) -> Result<Trust, Refusal> {
        let sound = trust
            .keys()
            .iter()
            .filter(|key| !self.revoked.contains(&key.id));
        Trust::new(sound.cloned().collect()).map_err(|_| MetadataRefusal::KeysRevoked.into())
    }

    /// `trust` and the keys beside it that are in force at this time.
    pub(crate) fn at(&self, trust: &Trust, now: Timestamp) -> Trust {
        let in_force = |beside: &&KeyBeside| {
            beside.until.is_none_or(|until| now < until) && !self.revoked.contains(&beside.key.id)
        };
        let mut keys = self.trusted.iter().filter(in_force).peekable();
        if keys.peek().is_none() {
            return trust.clone();
        }
        trust.with(keys.map(|beside| beside.key.clone()))
    }

    /// The keys beside `next` when it takes the place of `live`: what it does not name stays for `overlap`, what was
    /// retiring already no longer than before. Where it speaks for another identity provider nothing stays: the keys of
    /// one must not sign for another.
    pub fn after(
        &self,
        live: &IdpMetadata,
        next: &IdpMetadata,
        now: Timestamp,
        overlap: SignedDuration,
    ) -> Vec<KeyBeside> {
        if live.entity_id != next.entity_id {
            return Vec::new();
        }
        let end = now.saturating_add(overlap).unwrap_or(Timestamp::MAX);
        let removed = missing_from(next, live);
        let removed = removed.into_iter().map(|key| KeyBeside {
            key: key.clone(),
            until: Some(end),
        });
        let before = self.trusted.iter().map(|beside| KeyBeside {
            key: beside.key.clone(),
            until: Some(beside.until.map_or(end, |until| until.min(end))),
        });
        let mut all: Vec<KeyBeside> = removed.chain(before).collect();
        all.retain(|beside| {
            beside.until.is_some_and(|until| now < until) && !next.trust.holds(&beside.key.id)
        });
        bounded(all)
    }

    /// The keys beside the live document while another one waits for a person, of which `trusted` may sign already.
    pub fn while_held(&self, trusted: Vec<TrustedKey>, now: Timestamp) -> Vec<KeyBeside> {
        let new = trusted
            .into_iter()
            .map(|key| KeyBeside { key, until: None });
        let before = self
            .trusted
            .iter()
            .filter(|beside| beside.until.is_some_and(|until| now < until));
        bounded(new.chain(before.cloned()).collect())
    }
}

/// Each key once, and no more than one identity provider may have; the first are the newest.
fn bounded(all: Vec<KeyBeside>) -> Vec<KeyBeside> {
    let mut kept: Vec<KeyBeside> = Vec::new();
    for beside in all {
        if kept.len() < TRUST_KEYS && !kept.iter().any(|other| other.key.id == beside.key.id) {
            kept.push(beside);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::super::testing::Described;
    use super::*;
    use crate::saml::test_signer::ec_key;

    const DAY: SignedDuration = SignedDuration::from_hours(24);

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_767_000_000 + hours * 3600).unwrap()
    }

    #[test]
    fn a_removed_key_is_trusted_for_the_overlap_and_then_drops_by_itself() {
        let (old, new) = (ec_key(), ec_key());
        let live = Described::with(&[old]).read();
        let next = Described::with(&[new]).read();
        let beside = KeysBeside {
            trusted: KeysBeside::default().after(&live, &next, at(0), DAY),
            ..KeysBeside::default()
        };
        let old = live.trust.keys()[0].id;
        assert!(beside.at(&next.trust, at(23)).holds(&old));
        assert!(!beside.at(&next.trust, at(24)).holds(&old));
    }

    #[test]
    fn two_rolls_in_a_row_keep_both_old_keys_and_none_longer_than_the_overlap() {
        let read = |key| Described::with(&[key]).read();
        let (one, two, three) = (read(ec_key()), read(ec_key()), read(ec_key()));
        let first = KeysBeside {
            trusted: KeysBeside::default().after(&one, &two, at(0), DAY),
            ..KeysBeside::default()
        };
        let second = first.after(&two, &three, at(10), DAY);
        let ends: Vec<_> = second.iter().map(|beside| beside.until.unwrap()).collect();
        assert_eq!(ends, [at(34), at(24)]);
        let reverted = KeysBeside {
            trusted: second,
            ..KeysBeside::default()
        };
        let reverted = reverted.after(&three, &one, at(11), DAY);
        assert_eq!(reverted.len(), 2, "the first is live again");
    }

    #[test]
    fn the_keys_of_one_identity_provider_never_sign_for_another() {
        let live = Described::with(&[ec_key()]).read();
        let mut next = Described::with(&[ec_key()]);
        next.entity_id = "https://other.example".to_owned();
        let after = KeysBeside::default().after(&live, &next.read(), at(0), DAY);
        assert!(after.is_empty());
    }

    #[test]
    fn a_revoked_key_is_trusted_nowhere() {
        let live = Described::with(&[ec_key(), ec_key()]).read();
        let gone = live.trust.keys()[0].clone();
        let beside = KeysBeside {
            trusted: vec![KeyBeside {
                key: gone.clone(),
                until: None,
            }],
            revoked: vec![gone.id],
        };
        let sound = beside.sound(&live.trust).unwrap();
        assert_eq!(sound.keys().len(), 1);
        assert!(!beside.at(&sound, at(0)).holds(&gone.id));
        let alone = Trust::new(vec![gone]).unwrap();
        assert_eq!(
            beside.sound(&alone).unwrap_err(),
            MetadataRefusal::KeysRevoked
        );
    }
}
