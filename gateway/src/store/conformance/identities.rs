use serde_json::json;

use super::on_every_backend;
use super::users::{events, identity, user};
use crate::store::identity::Identity;
use crate::store::page::PageRequest;
use crate::store::testing::{later, now, row};
use crate::store::{Store, StoreError};

on_every_backend!(
    a_subject_of_a_connection_is_one_identity,
    an_identity_waits_for_an_address_of_its_connections_domains_alone,
    one_identity_of_a_user_is_the_primary_one,
    identities_of_a_user_are_paged,
    a_deleted_identity_leaves_its_user,
);

async fn a_subject_of_a_connection_is_one_identity(store: &Store) {
    store.add(&row(1, json!({}))).await;
    store.add(&row(2, json!({}))).await;
    store.create_user(&user("kp_1", 0), None).await.unwrap();
    let add = async |id: &str, number| store.create_identity(&identity(id, "kp_1", number)).await;
    add("identity_1", 1).await.unwrap();
    assert!(matches!(
        add("identity_2", 1).await,
        Err(StoreError::Conflict("row"))
    ));
    add("identity_2", 2).await.unwrap();
    let all = store
        .identities_of(&["kp_1".into(), "kp_x".into()])
        .await
        .unwrap();
    assert_eq!(all.len(), 2);
    assert!(matches!(
        add("identity_3", 3).await,
        Err(StoreError::NotFound(_))
    ));
    let read = store.identity("identity_1").await.unwrap();
    assert_eq!(read, Some(identity("identity_1", "kp_1", 1)));
}

fn waiting(id: &str, number: u32, value: &str) -> Identity {
    let mut identity = identity(id, "kp_1", number);
    identity.issuer = None;
    identity.subject = value.to_owned();
    identity
}

async fn an_identity_waits_for_an_address_of_its_connections_domains_alone(store: &Store) {
    store
        .add(&row(1, json!({ "home_realm_domains": ["acme.test"] })))
        .await;
    store
        .add(&row(2, json!({ "home_realm_domains": ["evil.test"] })))
        .await;
    store.create_user(&user("kp_1", 0), None).await.unwrap();
    let theirs = store
        .create_identity(&waiting("identity_1", 2, "ann@acme.test"))
        .await;
    assert!(matches!(theirs, Err(StoreError::Conflict("domain"))));
    let ours = waiting("identity_1", 1, "ann@acme.test");
    store.create_identity(&ours).await.unwrap();
    let again = store
        .create_identity(&waiting("identity_2", 1, "ann@acme.test"))
        .await;
    assert!(matches!(again, Err(StoreError::Conflict("row"))));
    store
        .create_identity(&waiting("identity_2", 2, "ann"))
        .await
        .unwrap();
}

async fn one_identity_of_a_user_is_the_primary_one(store: &Store) {
    store.create_user(&user("kp_1", 0), None).await.unwrap();
    for number in 1..=3 {
        store.add(&row(number, json!({}))).await;
        let one = identity(&format!("identity_{number}"), "kp_1", number);
        store.create_identity(&one).await.unwrap();
    }
    let primary = async || {
        let all = store.identities_of(&["kp_1".into()]).await.unwrap();
        let primary = all.into_iter().filter(|one| one.is_primary);
        primary.map(|one| one.id).collect::<Vec<_>>()
    };
    for id in ["identity_1", "identity_2"] {
        store.set_primary_identity(id, true).await.unwrap();
        assert_eq!(primary().await, [id]);
    }
    store
        .set_primary_identity("identity_1", false)
        .await
        .unwrap();
    assert_eq!(primary().await, ["identity_2"]);
    store
        .set_primary_identity("identity_2", false)
        .await
        .unwrap();
    assert!(primary().await.is_empty());
    let absent = store.set_primary_identity("identity_9", true).await;
    assert!(matches!(absent, Err(StoreError::NotFound("identity"))));
}

async fn identities_of_a_user_are_paged(store: &Store) {
    store.create_user(&user("kp_1", 0), None).await.unwrap();
    for number in 1..=3 {
        store.add(&row(number, json!({}))).await;
        let mut one = identity(&format!("identity_{number}"), "kp_1", number);
        one.created_at = later(number.into());
        store.create_identity(&one).await.unwrap();
    }
    let page = async |starting_after, ending_before| {
        let request = PageRequest {
            starting_after,
            ending_before,
            page_size: 2,
            ..PageRequest::default()
        };
        let page = store.identities("kp_1", request).await?;
        let ids: Vec<String> = page.items.into_iter().map(|one| one.id).collect();
        Ok::<_, StoreError>((ids, page.has_more))
    };
    let of = |ids: &[&str], more| {
        (
            ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>(),
            more,
        )
    };
    assert_eq!(
        page(None, None).await.unwrap(),
        of(&["identity_3", "identity_2"], true)
    );
    assert_eq!(
        page(Some("identity_2"), None).await.unwrap(),
        of(&["identity_1"], false)
    );
    assert_eq!(
        page(None, Some("identity_2")).await.unwrap(),
        of(&["identity_3"], false)
    );
    let unknown = page(Some("identity_9"), None).await;
    assert!(matches!(unknown, Err(StoreError::NotFound("identity"))));
}

async fn a_deleted_identity_leaves_its_user(store: &Store) {
    store.add(&row(1, json!({}))).await;
    store.create_user(&user("kp_1", 0), None).await.unwrap();
    store
        .create_identity(&identity("identity_1", "kp_1", 1))
        .await
        .unwrap();
    store.delete_identity("identity_1", now()).await.unwrap();
    assert_eq!(store.identity("identity_1").await.unwrap(), None);
    assert!(store.user("kp_1").await.unwrap().is_some());
    let told = ["user.created", "identity.created", "identity.deleted"];
    assert_eq!(events(store).await, told);
    let again = store.delete_identity("identity_1", now()).await;
    assert!(matches!(again, Err(StoreError::NotFound("identity"))));
}
