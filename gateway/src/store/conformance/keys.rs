//! Our own keys.

use serde_json::json;

use super::on_every_backend;
use crate::store::key::{KeyChange, StoredKey};
use crate::store::testing::{id, later, now, row};
use crate::store::{Store, StoreError};

on_every_backend!(
    keys_move_through_their_stages,
    of_gateways_that_start_together_one_makes_the_keys,
    of_replicas_that_decide_at_once_one_is_heard,
    a_use_is_remembered_with_its_latest_moment,
);

fn stored(id: &str, stage: &str) -> StoredKey {
    StoredKey {
        id: id.into(),
        purpose: "tokens".into(),
        algorithm: "RS256".into(),
        stage: stage.into(),
        private_key: vec![1, 2, 3],
        certificate: None,
        created_at: now(),
        stage_at: now(),
        source: "generated".into(),
        used_at: None,
    }
}

async fn of_replicas_that_decide_at_once_one_is_heard(store: &Store) {
    store.insert_key(&stored("old", "active")).await.unwrap();
    let replicas: Vec<_> = (0..8)
        .map(|replica| {
            let store = store.clone();
            let change = KeyChange {
                expected: vec![("old".into(), "active".into())],
                made: vec![stored(&format!("new-{replica}"), "active")],
                moved: vec![("old".into(), "retiring".into())],
                forgotten: Vec::new(),
                events: vec![("certificate.rotated", json!({ "replica": replica }))],
            };
            tokio::spawn(async move { store.change_keys("tokens", &change, later(1)).await })
        })
        .collect();
    let mut heard = 0;
    for replica in replicas {
        heard += usize::from(replica.await.unwrap().unwrap());
    }
    assert_eq!(heard, 1);
    let keys = store.keys().await.unwrap();
    let stages: Vec<&str> = keys.iter().map(|key| key.stage.as_str()).collect();
    assert_eq!(stages, ["active", "retiring"]);
    assert_eq!(store.waiting_events(9).await.unwrap().len(), 1);
    let gone = KeyChange {
        expected: keys
            .iter()
            .map(|key| (key.id.clone(), key.stage.clone()))
            .collect(),
        forgotten: vec!["old".into()],
        ..KeyChange::default()
    };
    assert!(store.change_keys("tokens", &gone, later(2)).await.unwrap());
    assert_eq!(store.keys().await.unwrap().len(), 1);
    // Keys of another purpose are not looked at.
    let nothing = KeyChange::default();
    assert!(
        store
            .change_keys("saml_signing", &nothing, later(3))
            .await
            .unwrap()
    );
    assert!(
        !store
            .change_keys("tokens", &nothing, later(3))
            .await
            .unwrap()
    );
}

async fn a_use_is_remembered_with_its_latest_moment(store: &Store) {
    store.add(&row(1, json!({}))).await;
    store.add(&row(2, json!({}))).await;
    for key in ["k1", "k2"] {
        store.insert_key(&stored(key, "active")).await.unwrap();
    }
    store.note_key_use(&id(1), "k1", later(5)).await.unwrap();
    store.note_key_use(&id(1), "k2", later(6)).await.unwrap();
    store.note_key_use(&id(1), "k1", later(7)).await.unwrap();
    store.note_key_use(&id(2), "k2", later(4)).await.unwrap();
    let uses = store.key_uses(&id(1)).await.unwrap();
    assert_eq!(
        uses,
        [("k1".to_owned(), later(7)), ("k2".to_owned(), later(6))]
    );
    let moments: Vec<_> = store
        .keys()
        .await
        .unwrap()
        .iter()
        .map(|key| key.used_at)
        .collect();
    assert_eq!(moments, [Some(later(7)), Some(later(6))]);
    store.delete_key("k1").await.unwrap();
    assert_eq!(store.key_uses(&id(1)).await.unwrap().len(), 1);
    let unknown = store.note_key_use(&id(1), "k1", later(8)).await;
    assert!(
        matches!(unknown, Err(StoreError::NotFound(_))),
        "{unknown:?}"
    );
}

async fn keys_move_through_their_stages(store: &Store) {
    let mut key = StoredKey {
        id: "k1".into(),
        purpose: "tokens".into(),
        algorithm: "RS256".into(),
        stage: "upcoming".into(),
        private_key: vec![1, 2, 3],
        certificate: None,
        created_at: now(),
        stage_at: now(),
        source: "generated".into(),
        used_at: None,
    };
    store.insert_key(&key).await.unwrap();
    assert!(matches!(
        store.insert_key(&key).await,
        Err(StoreError::Conflict(_))
    ));
    store.move_key("k1", "active", later(1)).await.unwrap();
    (key.stage, key.stage_at) = ("active".into(), later(1));
    assert_eq!(store.keys().await.unwrap(), [key]);
    assert!(matches!(
        store.move_key("k2", "active", now()).await,
        Err(StoreError::NotFound("key"))
    ));
}

async fn of_gateways_that_start_together_one_makes_the_keys(store: &Store) {
    let starts: Vec<_> = (0..8)
        .map(|gateway| {
            let store = store.clone();
            tokio::spawn(async move {
                let keys: Vec<_> = ["RS256", "ES256"]
                    .map(|algorithm| StoredKey {
                        id: format!("{algorithm}-{gateway}"),
                        purpose: "tokens".into(),
                        algorithm: algorithm.into(),
                        stage: "active".into(),
                        private_key: vec![1],
                        certificate: None,
                        created_at: now(),
                        stage_at: now(),
                        source: "generated".into(),
                        used_at: None,
                    })
                    .into();
                store.put_first_keys("tokens", &keys).await.unwrap();
                store.keys().await.unwrap()
            })
        })
        .collect();
    for start in starts {
        let keys = start.await.unwrap();
        let algorithms: Vec<_> = keys.iter().map(|key| key.algorithm.as_str()).collect();
        assert_eq!(algorithms, ["ES256", "RS256"]);
        assert_eq!(keys, store.keys().await.unwrap());
    }
}
