use super::on_every_backend;
use crate::store::testing::{later, now};
use crate::store::{Store, outbox};
use fedgate_providers::login::Handle;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::json;

on_every_backend!(
    events_wait_in_order_until_delivered,
    an_event_of_a_transaction_undone_never_was,
    an_event_is_raised_by_itself,
    a_mark_is_set_once_and_goes_when_it_has_expired,
    a_login_is_known_by_its_own_mark_alone,
);

async fn events_wait_in_order_until_delivered(store: &Store) {
    let mut transaction = store.begin().await.unwrap();
    for number in 0..3 {
        outbox::append(
            &mut transaction,
            "user.created",
            &json!({ "n": number }),
            now(),
        )
        .await
        .unwrap();
    }
    transaction.commit().await.unwrap();
    let waiting = store.waiting_events(2).await.unwrap();
    assert_eq!(
        waiting
            .iter()
            .map(|event| event.payload["n"].as_i64())
            .collect::<Vec<_>>(),
        [Some(0), Some(1)]
    );
    store
        .mark_delivered(
            &waiting.iter().map(|event| event.id).collect::<Vec<_>>(),
            later(1),
        )
        .await
        .unwrap();
    assert_eq!(store.waiting_events(9).await.unwrap()[0].payload["n"], 2);
    assert_eq!(store.sweep_outbox(now()).await.unwrap(), 0);
    assert_eq!(store.sweep(later(8 * 24 * 3600)).await.unwrap(), 3);
}

async fn an_event_of_a_transaction_undone_never_was(store: &Store) {
    let mut transaction = store.begin().await.unwrap();
    outbox::append(&mut transaction, "user.created", &json!({}), now())
        .await
        .unwrap();
    drop(transaction);
    assert!(store.waiting_events(9).await.unwrap().is_empty());
}

async fn an_event_is_raised_by_itself(store: &Store) {
    let payload = json!({ "reference": "FG-ACDEFGHJ" });
    let kind = "login.second_opinion_differs";
    store.raise_event(kind, &payload, now()).await.unwrap();
    let waiting = store.waiting_events(9).await.unwrap();
    assert_eq!(waiting.len(), 1);
    assert_eq!((&*waiting[0].kind, &waiting[0].payload), (kind, &payload));
}

async fn a_mark_is_set_once_and_goes_when_it_has_expired(store: &Store) {
    let set = async |kind, key: &[u8]| store.mark_once(kind, key, later(60)).await.unwrap();
    assert!(set("client_assertion", b"a").await);
    assert!(!set("client_assertion", b"a").await);
    assert!(set("other", b"a").await && set("client_assertion", b"b").await);
    assert_eq!(store.sweep_marks(later(59)).await.unwrap(), 0);
    assert_eq!(store.sweep_marks(later(60)).await.unwrap(), 3);
    assert!(set("client_assertion", b"a").await);
}

async fn a_login_is_known_by_its_own_mark_alone(store: &Store) {
    let handle = |seed| Handle::random(&mut StdRng::seed_from_u64(seed));
    let is_marked = async |seed| store.login_is_marked(handle(seed)).await.unwrap();
    for (kind, seed) in [("login", 1), ("assertion", 2)] {
        let key = handle(seed);
        assert!(!is_marked(seed).await);
        assert!(
            store
                .mark_once(kind, key.as_bytes(), later(60))
                .await
                .unwrap()
        );
    }
    assert!(is_marked(1).await && !is_marked(2).await);
}
