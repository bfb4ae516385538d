use serde_json::json;

use super::on_every_backend;
use crate::store::organization::OrganizationDependants;
use crate::store::page::PageRequest;
use crate::store::testing::{id, later, now, organization, row};
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
    assert_eq!(store.update_organization(&written, now()).await.unwrap(), 2);
    let stale = store.update_organization(&written, now()).await;
    assert!(matches!(stale, Err(StoreError::Conflict("organization"))));
    written.version = 2;
    let mut newer = organization("org_0000000000b");
    newer.created_at = later(1);
    store.create_organization(&newer).await.unwrap();
    assert_eq!(
        store
            .organizations(PageRequest::default())
            .await
            .unwrap()
            .items,
        [newer.clone(), written.clone()]
    );
    let after = PageRequest {
        position: Some(&newer.position()),
        ..PageRequest::default()
    };
    let page = store.organizations(after).await.unwrap();
    assert_eq!((page.items, page.has_more), (vec![written], false));
    assert!(matches!(
        store
            .update_organization(&organization("org_x"), now())
            .await,
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
        store.update_organization(&other, now()).await,
        Err(StoreError::Conflict("row"))
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
    let ids = store.organization_connection_ids("org_0000000000a").await;
    assert_eq!(ids.unwrap(), [id(1), id(2)]);
    let rows = store.organization_connections("org_0000000000a").await;
    let names = rows.unwrap().into_iter().map(|row| row.display_name);
    assert_eq!(names.collect::<Vec<_>>(), ["Connection 1", "Connection 2"]);
    let dependants = store.organization_dependants("org_0000000000a").await;
    let linked = OrganizationDependants {
        users: 0,
        connections: 1,
    };
    assert_eq!(dependants.unwrap(), linked);
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
    let delete = async |version| {
        store
            .delete_organization("org_0000000000a", version, now())
            .await
    };
    assert!(matches!(
        delete(None).await,
        Err(StoreError::Conflict("connections"))
    ));
    store.delete_connection(&id(1), 1).await.unwrap();
    assert!(matches!(
        delete(Some(7)).await,
        Err(StoreError::Conflict("organization"))
    ));
    delete(Some(1)).await.unwrap();
    assert!(matches!(
        delete(None).await,
        Err(StoreError::NotFound("organization"))
    ));
}
