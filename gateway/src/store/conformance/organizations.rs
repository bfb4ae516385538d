use serde_json::json;

use super::on_every_backend;
use crate::store::page::PageRequest;
use crate::store::testing::{id, later, organization, row};
use crate::store::{Store, StoreError};

on_every_backend!(
    an_organization_is_read_as_it_was_written,
    a_handle_belongs_to_one_organization,
    its_own_and_its_linked_connections_are_listed,
    an_organization_with_connections_stays,
);

async fn an_organization_is_read_as_it_was_written(store: &Store) {
    let mut written = organization("org_0000000000a");
    written.handle = Some("acme".into());
    written.is_auto_membership_enabled = true;
    store.create_organization(&written).await.unwrap();
    assert_eq!(
        store.organization("org_0000000000a").await.unwrap(),
        Some(written.clone())
    );
    written.name = "Acme".into();
    store.update_organization(&written).await.unwrap();
    let mut newer = organization("org_0000000000b");
    newer.created_at = later(1);
    store.create_organization(&newer).await.unwrap();
    assert_eq!(
        store
            .organizations(PageRequest::default())
            .await
            .unwrap()
            .items,
        [newer, written]
    );
    assert!(matches!(
        store.update_organization(&organization("org_x")).await,
        Err(StoreError::NotFound("organization"))
    ));
}

async fn a_handle_belongs_to_one_organization(store: &Store) {
    let mut one = organization("org_0000000000a");
    one.handle = Some("acme".into());
    store.create_organization(&one).await.unwrap();
    let mut other = organization("org_0000000000b");
    store.create_organization(&other).await.unwrap();
    other.handle = Some("acme".into());
    assert!(matches!(
        store.update_organization(&other).await,
        Err(StoreError::Conflict(_))
    ));
}

async fn its_own_and_its_linked_connections_are_listed(store: &Store) {
    store
        .create_organization(&organization("org_0000000000a"))
        .await
        .unwrap();
    let mut own = row(2, json!({}));
    own.organization_code = Some("org_0000000000a".into());
    store.add(&own).await;
    store.add(&row(1, json!({}))).await;
    store.add(&row(3, json!({}))).await;
    store
        .link_organization("org_0000000000a", &id(1), true)
        .await
        .unwrap();
    store
        .link_organization("org_0000000000a", &id(1), true)
        .await
        .unwrap();
    assert_eq!(
        store
            .organization_connections("org_0000000000a")
            .await
            .unwrap(),
        [id(1), id(2)]
    );
    assert!(matches!(
        store.link_organization("org_x", &id(1), true).await,
        Err(StoreError::NotFound(_))
    ));
}

async fn an_organization_with_connections_stays(store: &Store) {
    store
        .create_organization(&organization("org_0000000000a"))
        .await
        .unwrap();
    let mut own = row(1, json!({}));
    own.organization_code = Some("org_0000000000a".into());
    store.add(&own).await;
    assert!(matches!(
        store.delete_organization("org_0000000000a").await,
        Err(StoreError::Conflict("organization"))
    ));
    store.delete_connection(&id(1)).await.unwrap();
    store.delete_organization("org_0000000000a").await.unwrap();
    assert!(matches!(
        store.delete_organization("org_0000000000a").await,
        Err(StoreError::NotFound("organization"))
    ));
}
