use serde_json::json;

use super::on_every_backend;
use super::users::{events, identity, user};
use crate::store::membership::{Member, MembersChanged};
use crate::store::page::{PageRequest, Position};
use crate::store::testing::{later, organization, row};
use crate::store::{Store, StoreError};

on_every_backend!(
    members_come_and_go_all_or_none,
    a_list_of_members_goes_on_where_its_last_row_was,
    whoever_is_taken_out_has_no_session_there_any_more,
);

const CODE: &str = "org_0000000000a";

async fn with_users(store: &Store) -> Vec<String> {
    store
        .create_organization(&organization(CODE))
        .await
        .unwrap();
    let mut ids = Vec::new();
    for number in 0..3 {
        ids.push(format!("kp_{number}"));
        store
            .create_user(&user(&ids[number], 0), None)
            .await
            .unwrap();
    }
    store.forget_events().await;
    ids
}

async fn members_come_and_go_all_or_none(store: &Store) {
    let ids = with_users(store).await;
    let change = async |add: &[String], remove: &[String]| {
        store.change_members(CODE, add, remove, later(1)).await
    };
    assert_eq!(change(&ids[..2], &[]).await.unwrap().added, ids[..2]);
    let changed = change(&ids[1..], &ids[..1]).await.unwrap();
    let expected = MembersChanged {
        added: ids[2..].to_vec(),
        present: ids[1..2].to_vec(),
        removed: ids[..1].to_vec(),
    };
    assert_eq!(changed, expected);
    store.forget_events().await;
    let unknown = change(&["kp_x".to_owned()], &ids[1..]).await;
    assert!(matches!(unknown, Err(StoreError::NotFound(_))));
    let nobody = change(&ids[1..2], &ids[..1]).await.unwrap();
    assert_eq!((nobody.added.len(), nobody.removed.len()), (0, 0));
    assert!(events(store).await.is_empty());
    assert_eq!(store.memberships(&ids).await.unwrap().len(), 2);
}

async fn a_list_of_members_goes_on_where_its_last_row_was(store: &Store) {
    let ids = with_users(store).await;
    for (number, id) in (0..).zip(&ids) {
        let now = later(number / 2);
        store
            .change_members(CODE, std::slice::from_ref(id), &[], now)
            .await
            .unwrap();
    }
    let page = async |position: Option<&Position>| {
        let request = PageRequest {
            position,
            page_size: 1,
            ..PageRequest::default()
        };
        let mut page = store.members(CODE, request).await.unwrap();
        (page.items.remove(0), page.has_more)
    };
    let (first, more) = page(None).await;
    assert_eq!(
        (first.user.id.as_str(), first.joined_at, more),
        ("kp_2", later(1), true)
    );
    store
        .change_members(CODE, &[], &ids[2..], later(9))
        .await
        .unwrap();
    let (second, more) = page(Some(&Member::position(&first))).await;
    assert_eq!((second.user.id.as_str(), more), ("kp_1", true));
    let (third, more) = page(Some(&second.position())).await;
    assert_eq!((third.user.id.as_str(), more), ("kp_0", false));
}

async fn whoever_is_taken_out_has_no_session_there_any_more(store: &Store) {
    let ids = with_users(store).await;
    store.add(&row(1, json!({}))).await;
    store
        .create_identity(&identity("identity_1", "kp_0", 1))
        .await
        .unwrap();
    store
        .change_members(CODE, &ids[..1], &[], later(1))
        .await
        .unwrap();
    store
        .run("INSERT INTO login_sessions (sid, user_id, identity_id, client_id, connection_id, organization_code, created_at)
              VALUES ('login_1', 'kp_0', 'identity_1', 'demo', 'conn_1', 'org_0000000000a', 0),
                     ('login_2', 'kp_0', 'identity_1', 'demo', 'conn_1', NULL, 0)")
        .await;
    store
        .change_members(CODE, &[], &ids[..1], later(9))
        .await
        .unwrap();
    for (sid, ended_at) in [("login_1", Some(later(9))), ("login_2", None)] {
        let session = store.login_session(sid).await.unwrap().unwrap();
        assert_eq!(session.ended_at, ended_at, "{sid}");
    }
}
