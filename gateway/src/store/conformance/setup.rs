use fedgate_certs::Timestamp;
use fedgate_providers::connection::Status;
use fedgate_providers::login::Handle;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::json;

use super::on_every_backend;
use crate::store::metadata_revision::{Adopted, Revision, RevisionSource};
use crate::store::setup_test::{EndedTest, Tested};
use crate::store::testing::{id, later, now, row};
use crate::store::{Store, StoreError};

on_every_backend!(
    a_link_is_burnt_once,
    a_newer_link_ends_the_older_one,
    a_revoked_link_opens_nothing,
    a_link_goes_with_its_connection,
    a_test_ends_once_and_in_its_own_session,
    only_the_tested_revision_goes_active,
    metadata_of_a_draft_is_put_at_its_own_version_only,
);

const OLD: [u8; 32] = [1; 32];
const NEW: [u8; 32] = [2; 32];

async fn draft(store: &Store) {
    let mut row = row(1, json!({}));
    row.status = Status::Draft;
    store.add(&row).await;
}

async fn opened(store: &Store, hash: &[u8; 32]) {
    store
        .put_setup_link(&id(1), hash, later(60), now())
        .await
        .unwrap();
    assert_eq!(
        store.burn_setup_link(hash, later(1)).await.unwrap(),
        Some(id(1))
    );
}

fn revision(octet: u8) -> Adopted {
    let revision = Revision {
        id: format!("rev_{octet}"),
        source: RevisionSource::Xml,
        document: "<x/>".into(),
        sha256: [octet; 32],
        fetched_at: later(octet.into()),
    };
    revision.into()
}

async fn ended(
    store: &Store,
    link: &[u8; 32],
    seed: u64,
    tested: &Tested,
    passed: bool,
) -> Result<(), StoreError> {
    let test = EndedTest {
        connection_id: &id(1),
        tested,
        link,
        handle: Handle::random(&mut StdRng::seed_from_u64(seed)),
        handle_until: later(60),
        passed,
        findings: &json!({ "who": seed }),
        now: later(2),
    };
    store.put_setup_test(test).await
}

async fn a_link_is_burnt_once(store: &Store) {
    draft(store).await;
    store
        .put_setup_link(&id(1), &OLD, later(60), now())
        .await
        .unwrap();
    assert!(!store.setup_is_open(&id(1), &OLD).await.unwrap());
    let burn = |hash: [u8; 32], at: Timestamp| async move {
        store.burn_setup_link(&hash, at).await.unwrap()
    };
    assert_eq!(burn(OLD, later(60)).await, None);
    assert_eq!(burn(NEW, later(1)).await, None);
    assert_eq!(burn(OLD, later(59)).await, Some(id(1)));
    assert_eq!(burn(OLD, later(59)).await, None);
    let link = store.setup_link(&OLD).await.unwrap().unwrap();
    assert_eq!(
        (link.connection_id, link.expires_at, link.used_at),
        (id(1), later(60), Some(later(59)))
    );
    assert!(store.setup_is_open(&id(1), &OLD).await.unwrap());
    assert!(!store.setup_is_open(&id(2), &OLD).await.unwrap());
}

async fn a_newer_link_ends_the_older_one(store: &Store) {
    draft(store).await;
    opened(store, &OLD).await;
    let tested = Tested {
        version: 1,
        metadata: None,
    };
    ended(store, &OLD, 1, &tested, true).await.unwrap();
    store
        .put_setup_link(&id(1), &NEW, later(60), now())
        .await
        .unwrap();
    assert_eq!(store.setup_link(&OLD).await.unwrap(), None);
    assert!(!store.setup_is_open(&id(1), &OLD).await.unwrap());
    let last = store.setup_test(&id(1)).await.unwrap().unwrap();
    assert_eq!((last.findings, last.counts), (None, true));
}

async fn a_revoked_link_opens_nothing(store: &Store) {
    draft(store).await;
    assert!(!store.delete_setup_link(&id(1), now()).await.unwrap());
    opened(store, &OLD).await;
    assert!(store.delete_setup_link(&id(1), now()).await.unwrap());
    assert!(!store.setup_is_open(&id(1), &OLD).await.unwrap());
    assert_eq!(store.burn_setup_link(&OLD, later(1)).await.unwrap(), None);
}

async fn a_link_goes_with_its_connection(store: &Store) {
    draft(store).await;
    opened(store, &OLD).await;
    store.delete_connection(&id(1), 1).await.unwrap();
    assert_eq!(store.setup_link(&OLD).await.unwrap(), None);
    let orphan = store.put_setup_link(&id(1), &NEW, later(60), now()).await;
    assert!(matches!(orphan, Err(StoreError::NotFound("connection"))));
}

async fn a_test_ends_once_and_in_its_own_session(store: &Store) {
    draft(store).await;
    opened(store, &OLD).await;
    let tested = Tested {
        version: 1,
        metadata: None,
    };
    assert_eq!(store.setup_test(&id(1)).await.unwrap(), None);
    let stranger = ended(store, &NEW, 1, &tested, true).await;
    assert!(matches!(stranger, Err(StoreError::NotFound("setup link"))));
    ended(store, &OLD, 1, &tested, false).await.unwrap();
    let twice = ended(store, &OLD, 1, &tested, true).await;
    assert!(matches!(twice, Err(StoreError::Conflict("login"))));
    let last = store.setup_test(&id(1)).await.unwrap().unwrap();
    assert_eq!((last.version, last.passed, last.counts), (1, false, false));
    assert_eq!(last.findings, Some(json!({ "who": 1 })));
}

async fn only_the_tested_revision_goes_active(store: &Store) {
    draft(store).await;
    opened(store, &OLD).await;
    let activate = |version: i64| async move {
        store
            .activate_tested(&id(1), version, later(3))
            .await
            .unwrap()
    };
    assert_eq!(activate(1).await, None);
    store
        .put_draft_metadata(&id(1), 1, &revision(7))
        .await
        .unwrap();
    let tested = |version, octet: u8| Tested {
        version,
        metadata: Some([octet; 32]),
    };
    ended(store, &OLD, 1, &tested(1, 6), true).await.unwrap();
    assert_eq!(activate(1).await, None, "other metadata");
    ended(store, &OLD, 2, &tested(0, 7), true).await.unwrap();
    assert_eq!(activate(1).await, None, "another version");
    ended(store, &OLD, 3, &tested(1, 7), true).await.unwrap();
    ended(store, &OLD, 4, &tested(1, 7), false).await.unwrap();
    let last = store.setup_test(&id(1)).await.unwrap().unwrap();
    assert!(!last.passed && last.counts);
    assert_eq!(activate(2).await, None, "the change came in between");
    assert_eq!(activate(1).await, Some(2));
    let stored = store.connection(&id(1)).await.unwrap().unwrap();
    assert_eq!((stored.status, stored.version), (Status::Active, 2));
    assert_eq!(activate(2).await, None);
}

async fn metadata_of_a_draft_is_put_at_its_own_version_only(store: &Store) {
    draft(store).await;
    let put = |version: i64, octet: u8| async move {
        store
            .put_draft_metadata(&id(1), version, &revision(octet))
            .await
    };
    assert!(matches!(put(2, 7).await, Err(StoreError::Conflict(_))));
    put(1, 7).await.unwrap();
    store
        .change_connection_status(&id(1), Status::Active, now())
        .await
        .unwrap();
    assert!(matches!(put(2, 8).await, Err(StoreError::Conflict(_))));
    let live = store.live_metadata(&id(1)).await.unwrap().unwrap();
    assert_eq!(live.sha256, [7; 32]);
}
