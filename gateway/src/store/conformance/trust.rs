//! Revisions that are taken over, held and rolled back; keys beside them; and who reads metadata when.

use fedgate_certs::trust::TrustedKey;
use fedgate_providers::saml::metadata::beside::KeyBeside;
use openssl::asn1::Asn1Time;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::x509::X509;
use serde_json::json;

use super::on_every_backend;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::metadata_refresh::Refresh;
use crate::store::metadata_revision::{Adopted, Revision, RevisionSource, RevisionState};
use crate::store::testing::{id, later, row};

on_every_backend!(
    a_revision_takes_the_place_of_the_one_that_it_was_compared_with,
    a_held_revision_leaves_the_live_one_as_it_is,
    keys_beside_are_replaced_and_revoked_ones_stay,
    of_two_claims_one_finds_it_taken,
    a_failure_and_its_events_are_kept_together,
);

fn key() -> TrustedKey {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let mut builder = X509::builder().unwrap();
    builder.set_pubkey(&key).unwrap();
    let day = |day| Asn1Time::days_from_now(day).unwrap();
    builder.set_not_before(&day(0)).unwrap();
    builder.set_not_after(&day(1)).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    TrustedKey::from_certificate_der(&builder.build().to_der().unwrap()).unwrap()
}

fn adopted(number: u8) -> Adopted {
    let revision = Revision {
        id: format!("rev_{number}"),
        source: RevisionSource::Url,
        document: format!("<md n='{number}'/>"),
        sha256: [number; 32],
        fetched_at: later(number.into()),
    };
    Adopted {
        next_refresh_at: Some(later(100)),
        etag: Some("\"1\"".into()),
        ..revision.into()
    }
}

async fn with_live(store: &Store) {
    store.add(&row(1, json!({}))).await;
    let revision = adopted(1).revision;
    store.put_live_metadata(&id(1), &revision).await.unwrap();
}

async fn states(store: &Store) -> Vec<(String, RevisionState)> {
    let kept = store.metadata_revisions(&id(1)).await.unwrap();
    kept.into_iter()
        .map(|kept| (kept.revision.id, kept.state))
        .collect()
}

async fn a_revision_takes_the_place_of_the_one_that_it_was_compared_with(store: &Store) {
    with_live(store).await;
    let payload = json!({});
    let event = ("metadata.changed", &payload);
    let replace = async |expected: (&'static str, RevisionState), number| {
        let adopted = adopted(number);
        store
            .replace_live_metadata(&id(1), expected, &adopted, event, later(9))
            .await
    };
    let superseded = RevisionState::Superseded;
    replace(("rev_1", superseded), 2).await.unwrap();
    let raced = replace(("rev_1", superseded), 3).await;
    assert!(matches!(raced, Err(StoreError::Conflict("metadata"))));
    // Rolled back, under its own id.
    replace(("rev_2", RevisionState::Rejected), 1)
        .await
        .unwrap();
    let expected = [
        ("rev_2".to_owned(), RevisionState::Rejected),
        ("rev_1".to_owned(), RevisionState::Live),
    ];
    assert_eq!(states(store).await, expected);
    let refresh = store.refresh(&id(1)).await.unwrap();
    assert_eq!(refresh.next_refresh_at, Some(later(100)));
    assert_eq!(refresh.etag.as_deref(), Some("\"1\""));
}

async fn a_held_revision_leaves_the_live_one_as_it_is(store: &Store) {
    with_live(store).await;
    let payload = json!({});
    let event = Some(("metadata.held", &payload));
    store
        .hold_metadata(&id(1), &adopted(2), event)
        .await
        .unwrap();
    store
        .hold_metadata(&id(1), &adopted(2), None)
        .await
        .unwrap();
    let expected = [
        ("rev_2".to_owned(), RevisionState::Held),
        ("rev_1".to_owned(), RevisionState::Live),
    ];
    assert_eq!(states(store).await, expected);
    let (live, _) = store.live_trust(&id(1)).await.unwrap().unwrap();
    assert_eq!(live, adopted(1).revision);
}

async fn keys_beside_are_replaced_and_revoked_ones_stay(store: &Store) {
    with_live(store).await;
    let (one, two) = (key(), key());
    let mut held = adopted(2);
    held.beside = vec![KeyBeside {
        key: one.clone(),
        until: Some(later(50)),
    }];
    store.hold_metadata(&id(1), &held, None).await.unwrap();
    for _ in 0..2 {
        store
            .revoke_key(&id(1), &one, true, later(1))
            .await
            .unwrap();
    }
    held.beside = vec![KeyBeside {
        key: two.clone(),
        until: None,
    }];
    store.hold_metadata(&id(1), &held, None).await.unwrap();
    let beside = store.keys_beside(&id(1)).await.unwrap();
    assert_eq!(beside.revoked, [one.id]);
    let trusted: Vec<_> = beside
        .trusted
        .iter()
        .map(|beside| (beside.key.id, beside.until))
        .collect();
    assert_eq!(trusted, [(two.id, None)]);
    store
        .revoke_key(&id(1), &one, false, later(1))
        .await
        .unwrap();
    let beside = store.keys_beside(&id(1)).await.unwrap();
    assert!(beside.revoked.is_empty());
}

async fn of_two_claims_one_finds_it_taken(store: &Store) {
    with_live(store).await;
    let due = Refresh {
        next_refresh_at: Some(later(10)),
        ..Refresh::default()
    };
    store
        .put_refresh(&id(1), &due, &[], later(1))
        .await
        .unwrap();
    let claim = async |at, until| {
        let claimed = store.claim_refreshes(later(at), later(until), 5).await;
        claimed.unwrap()
    };
    assert!(claim(9, 20).await.is_empty(), "not due yet");
    assert_eq!(claim(10, 20).await, [id(1)]);
    assert!(claim(11, 21).await.is_empty(), "taken");
    assert_eq!(claim(20, 30).await, [id(1)], "given up by a crash");
    store
        .put_refresh(&id(1), &due, &[], later(21))
        .await
        .unwrap();
    assert_eq!(claim(21, 31).await, [id(1)], "given back");
}

async fn a_failure_and_its_events_are_kept_together(store: &Store) {
    with_live(store).await;
    store.forget_events().await;
    let failed = Refresh {
        next_refresh_at: Some(later(60)),
        checked_at: Some(later(1)),
        attempted_at: Some(later(5)),
        etag: None,
        failures: 3,
        failure_code: Some("egress.timeout".into()),
    };
    let payload = json!({ "code": "egress.timeout" });
    let events = [("metadata.fetch_failed", &payload)];
    store
        .put_refresh(&id(1), &failed, &events, later(5))
        .await
        .unwrap();
    assert_eq!(store.refresh(&id(1)).await.unwrap(), failed);
    let told = store.waiting_events(9).await.unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].payload, payload);
    assert_eq!(store.refresh(&id(2)).await.unwrap(), Refresh::default());
}
