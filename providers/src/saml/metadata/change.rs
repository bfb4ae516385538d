//! What a newly read document changes against the one that is live, and what may be done about it without a person.

use fedgate_certs::trust::TrustedKey;
use serde::{Deserialize, Serialize};
use url::{Origin, Url};

use super::{IdpMetadata, MetadataRefusal};
use crate::connection::Binding;
use crate::error::Refusal;

/// One difference between the live document and another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// It signs with one more key.
    KeyAdded {
        /// Of the certificate, as [`TrustedKey::fingerprint_sha256`].
        fingerprint: String,
    },
    /// It does not name this key any more.
    KeyRemoved {
        /// Of the certificate, as [`TrustedKey::fingerprint_sha256`].
        fingerprint: String,
    },
    /// Browsers are to be sent elsewhere.
    EndpointMoved {
        /// The addresses until now.
        was: Vec<String>,
        /// The addresses from now on.
        is: Vec<String>,
        /// One of them is at a host that browsers were not sent to before.
        leaves_host: bool,
    },
    /// It speaks for another identity provider.
    EntityIdChanged {
        /// The entityID until now.
        was: String,
        /// The entityID of the document.
        is: String,
    },
    /// A new key is weaker than all that are live.
    WeakerAlgorithm {
        /// The weakest live key: `P-256`.
        was: String,
        /// The new key: `RSA-2048`.
        is: String,
        /// Of the new key's certificate.
        fingerprint: String,
    },
    /// It has no identity provider or no key that could be trusted.
    EverythingGone {
        /// What it is refused for.
        code: String,
    },
}

/// What is done with a document whose changes are known.
#[derive(Clone, Debug)]
pub enum Decision {
    /// It says what the live one says.
    Keep,
    /// It becomes the live one at once.
    Apply,
    /// It waits for a person while the live one serves. Its keys of full strength are trusted at once where it speaks
    /// for the same identity provider: a key from the configured address never waits.
    Hold {
        /// Those keys.
        trusted: Vec<TrustedKey>,
    },
}

impl Change {
    /// Whether a person has to look at it first.
    pub fn is_dangerous(&self) -> bool {
        match self {
            Self::KeyAdded { .. } | Self::KeyRemoved { .. } => false,
            Self::EndpointMoved { leaves_host, .. } => *leaves_host,
            Self::EntityIdChanged { .. }
            | Self::WeakerAlgorithm { .. }
            | Self::EverythingGone { .. } => true,
        }
    }
}

/// Whether a document that is refused for this has lost everything, in place of being no metadata at all.
pub fn is_everything_gone(refusal: &Refusal) -> bool {
    *refusal == MetadataRefusal::NoKey || *refusal == MetadataRefusal::NoIdentityProvider
}

/// Every difference of `next`, from the same address, to the live document.
pub fn classify(live: &IdpMetadata, next: Result<&IdpMetadata, &Refusal>) -> Vec<Change> {
    let next = match next {
        Ok(next) => next,
        Err(refusal) => {
            let code = refusal.code().to_owned();
            return vec![Change::EverythingGone { code }];
        }
    };
    let mut changes = Vec::new();
    if live.entity_id != next.entity_id {
        changes.push(Change::EntityIdChanged {
            was: live.entity_id.clone(),
            is: next.entity_id.clone(),
        });
    }
    let added = missing_from(live, next);
    changes.extend(added.iter().map(|key| Change::KeyAdded {
        fingerprint: key.fingerprint_sha256.clone(),
    }));
    let removed = missing_from(next, live);
    changes.extend(removed.iter().map(|key| Change::KeyRemoved {
        fingerprint: key.fingerprint_sha256.clone(),
    }));
    changes.extend(added.iter().filter_map(|key| weaker(live, key)));
    changes.extend(moved(live, next));
    changes
}

/// What follows from the changes of `next`, none of which a person has seen.
pub fn decide(changes: &[Change], live: &IdpMetadata, next: Option<&IdpMetadata>) -> Decision {
    if changes.is_empty() {
        return Decision::Keep;
    }
    if !changes.iter().any(Change::is_dangerous) {
        return Decision::Apply;
    }
    let same = next.filter(|next| next.entity_id == live.entity_id);
    let trusted = same.map_or_else(Vec::new, |next| {
        let mut keys = missing_from(live, next);
        keys.retain(|key| weaker(live, key).is_none());
        keys.into_iter().cloned().collect()
    });
    Decision::Hold { trusted }
}

/// The keys of `other` that `one` does not have.
pub(super) fn missing_from<'m>(one: &IdpMetadata, other: &'m IdpMetadata) -> Vec<&'m TrustedKey> {
    let keys = other.trust.keys().iter();
    keys.filter(|key| !one.trust.holds(&key.id)).collect()
}

fn weaker(live: &IdpMetadata, key: &TrustedKey) -> Option<Change> {
    let weakest = live
        .trust
        .keys()
        .iter()
        .min_by_key(|key| key.kind.strength())?;
    (key.kind.strength() < weakest.kind.strength()).then(|| Change::WeakerAlgorithm {
        was: weakest.kind.to_string(),
        is: key.kind.to_string(),
        fingerprint: key.fingerprint_sha256.clone(),
    })
}

fn moved(live: &IdpMetadata, next: &IdpMetadata) -> Option<Change> {
    let (was, is) = (endpoints(live), endpoints(next));
    if was == is {
        return None;
    }
    let origins = |metadata: &IdpMetadata| -> Vec<Origin> {
        metadata.sso.iter().map(|(_, url)| url.origin()).collect()
    };
    let known = origins(live);
    Some(Change::EndpointMoved {
        leaves_host: origins(next).iter().any(|origin| !known.contains(origin)),
        was,
        is,
    })
}

/// Where browsers are sent, in an order of its own: that of the document says nothing.
fn endpoints(metadata: &IdpMetadata) -> Vec<String> {
    let written = |what: &str, (binding, url): &(Binding, Url)| {
        format!("{what} {} {url}", super::binding_name(*binding))
    };
    let sign_in = metadata.sso.iter().map(|one| written("sign-in", one));
    let sign_out = metadata.slo.iter().map(|one| written("sign-out", one));
    let mut all: Vec<_> = sign_in.chain(sign_out).collect();
    all.sort();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Described, rsa_key};
    use super::*;
    use crate::saml::test_signer::ec_key;

    fn kinds(changes: &[Change]) -> Vec<String> {
        let kind = |change| serde_json::to_value(change).unwrap()["kind"].clone();
        let kinds = changes.iter().map(kind);
        kinds
            .map(|kind| kind.as_str().unwrap().to_owned())
            .collect()
    }

    fn compared(live: &Described, next: &Described) -> (Vec<String>, Decision) {
        let (live, next) = (live.read(), next.read());
        let changes = classify(&live, Ok(&next));
        let decision = decide(&changes, &live, Some(&next));
        (kinds(&changes), decision)
    }

    #[test]
    fn the_same_document_changes_nothing() {
        let live = Described::with(&[ec_key()]);
        let (kinds, decision) = compared(&live, &live);
        assert!(kinds.is_empty() && matches!(decision, Decision::Keep));
    }

    #[test]
    fn a_new_key_and_a_removed_one_are_applied_at_once() {
        let (one, two) = (ec_key(), ec_key());
        let live = Described::with(std::slice::from_ref(&one));
        let (kinds, decision) = compared(&live, &Described::with(&[one, two.clone()]));
        assert_eq!(kinds, ["key_added"]);
        assert!(matches!(decision, Decision::Apply));
        let (kinds, decision) = compared(&live, &Described::with(&[two]));
        assert_eq!(kinds, ["key_added", "key_removed"]);
        assert!(matches!(decision, Decision::Apply));
    }

    #[test]
    fn another_entity_waits_and_none_of_its_keys_is_trusted() {
        let live = Described::with(&[ec_key()]);
        let mut next = Described::with(&[ec_key()]);
        next.entity_id = "https://other.example".to_owned();
        let (kinds, decision) = compared(&live, &next);
        assert_eq!(kinds, ["entity_id_changed", "key_added", "key_removed"]);
        assert!(matches!(decision, Decision::Hold { trusted } if trusted.is_empty()));
    }

    #[test]
    fn a_weaker_key_waits_and_a_sound_one_beside_it_does_not() {
        let live = Described::with(&[ec_key()]);
        let (kinds, decision) = compared(&live, &Described::with(&[rsa_key(), ec_key()]));
        assert!(kinds.contains(&"weaker_algorithm".to_owned()), "{kinds:?}");
        let Decision::Hold { trusted } = decision else {
            panic!("{decision:?}")
        };
        assert_eq!(trusted.len(), 1);
        assert_eq!(trusted[0].kind.to_string(), "P-256");
    }

    #[test]
    fn an_endpoint_moves_within_its_host_at_once_and_to_another_host_with_a_person() {
        let key = ec_key();
        let live = Described::with(std::slice::from_ref(&key));
        let mut next = live.clone();
        next.sign_in = "https://idp.example/elsewhere".to_owned();
        let (kinds, decision) = compared(&live, &next);
        assert_eq!(kinds, ["endpoint_moved"]);
        assert!(matches!(decision, Decision::Apply));
        next.sign_in = "https://idp.example.evil.test/sso".to_owned();
        let (_, decision) = compared(&live, &next);
        assert!(matches!(decision, Decision::Hold { .. }));
    }

    #[test]
    fn a_document_without_a_key_has_lost_everything() {
        let live = Described::with(&[ec_key()]).read();
        let refusal = IdpMetadata::parse(Described::with(&[]).xml().as_bytes(), None).unwrap_err();
        assert!(is_everything_gone(&refusal));
        let changes = classify(&live, Err(&refusal));
        assert_eq!(kinds(&changes), ["everything_gone"]);
        let decision = decide(&changes, &live, None);
        assert!(matches!(decision, Decision::Hold { trusted } if trusted.is_empty()));
    }
}
