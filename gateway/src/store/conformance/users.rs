use serde_json::json;

use super::on_every_backend;
use crate::store::identity::{Identity, IdentityKind};
use crate::store::page::PageRequest;
use crate::store::person::User;
use crate::store::testing::{id, later, now, organization, row};
use crate::store::{Store, StoreError};

on_every_backend!(
    a_user_is_read_as_written_and_changed,
    two_users_may_have_one_address,
    a_subject_of_a_connection_is_one_identity,
    a_deleted_user_leaves_nothing,
);

fn user(id: &str, seconds: i64) -> User {
    User {
        id: id.to_owned(),
        email: Some("ann@example.com".into()),
        email_verified: true,
        given_name: Some("Ann".into()),
        family_name: None,
        name: None,
        picture: None,
        is_suspended: false,
        created_at: later(seconds),
    }
}

fn identity(id_: &str, user_id: &str, number: u32) -> Identity {
    Identity {
        id: id_.to_owned(),
        user_id: user_id.to_owned(),
        connection_id: id(number).to_string(),
        issuer: Some("https://idp.test".into()),
        subject: "ann".into(),
        kind: IdentityKind::Enterprise,
        created_at: now(),
    }
}

async fn a_user_is_read_as_written_and_changed(store: &Store) {
    let mut written = user("kp_1", 0);
    store.create_user(&written).await.unwrap();
    assert_eq!(store.user("kp_1").await.unwrap(), Some(written.clone()));
    written.is_suspended = true;
    store.update_user(&written, later(1)).await.unwrap();
    assert_eq!(store.user("kp_1").await.unwrap(), Some(written));
    assert!(matches!(
        store.update_user(&user("kp_2", 0), now()).await,
        Err(StoreError::NotFound("user"))
    ));
}

async fn two_users_may_have_one_address(store: &Store) {
    store.create_user(&user("kp_1", 0)).await.unwrap();
    store.create_user(&user("kp_2", 1)).await.unwrap();
    let found = store
        .users(Some("ann@example.com"), PageRequest::default())
        .await
        .unwrap()
        .items;
    assert_eq!(found, [user("kp_2", 1), user("kp_1", 0)]);
    assert!(
        store
            .users(Some("ANN@example.com"), PageRequest::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
}

async fn a_subject_of_a_connection_is_one_identity(store: &Store) {
    store.add(&row(1, json!({}))).await;
    store.add(&row(2, json!({}))).await;
    store.create_user(&user("kp_1", 0)).await.unwrap();
    store
        .create_identity(&identity("identity_1", "kp_1", 1))
        .await
        .unwrap();
    assert!(matches!(
        store
            .create_identity(&identity("identity_2", "kp_1", 1))
            .await,
        Err(StoreError::Conflict(_))
    ));
    store
        .create_identity(&identity("identity_2", "kp_1", 2))
        .await
        .unwrap();
    assert_eq!(store.identities("kp_1").await.unwrap().len(), 2);
    assert!(matches!(
        store
            .create_identity(&identity("identity_3", "kp_1", 3))
            .await,
        Err(StoreError::NotFound(_))
    ));
}

async fn a_deleted_user_leaves_nothing(store: &Store) {
    store.add(&row(1, json!({}))).await;
    store
        .create_organization(&organization("org_0000000000a"))
        .await
        .unwrap();
    store.create_user(&user("kp_1", 0)).await.unwrap();
    store
        .create_identity(&identity("identity_1", "kp_1", 1))
        .await
        .unwrap();
    store
        .add_member("org_0000000000a", "kp_1", now())
        .await
        .unwrap();
    assert_eq!(
        store.memberships("kp_1").await.unwrap(),
        ["org_0000000000a"]
    );
    store.delete_user("kp_1").await.unwrap();
    assert_eq!(store.row_counts().await, [0; 6]);
    assert!(matches!(
        store.delete_user("kp_1").await,
        Err(StoreError::NotFound("user"))
    ));
}
