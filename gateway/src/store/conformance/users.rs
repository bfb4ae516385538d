use serde_json::json;

use super::on_every_backend;
use crate::store::identity::{Identity, IdentityKind};
use crate::store::page::{PageRequest, Position};
use crate::store::person::{User, UserFilter};
use crate::store::testing::{id, later, now, organization, row};
use crate::store::{Store, StoreError};

on_every_backend!(
    a_user_is_read_as_written_and_changed,
    a_change_of_another_version_of_a_user_is_refused,
    an_id_of_the_operators_own_belongs_to_one_user,
    two_users_may_have_one_address,
    a_list_of_users_goes_on_where_its_last_row_was,
    a_suspension_ends_sessions_and_a_profile_never_takes_it_back,
    a_deleted_user_leaves_nothing_but_the_news,
);

pub(super) fn user(id: &str, seconds: i64) -> User {
    User {
        id: id.to_owned(),
        provided_id: None,
        email: Some("ann@example.com".into()),
        email_verified: true,
        given_name: Some("Ann".into()),
        family_name: None,
        name: None,
        picture: None,
        is_suspended: false,
        version: 1,
        created_at: later(seconds),
    }
}

pub(super) fn identity(id_: &str, user_id: &str, number: u32) -> Identity {
    Identity {
        id: id_.to_owned(),
        user_id: user_id.to_owned(),
        connection_id: id(number).to_string(),
        issuer: Some("https://idp.test".into()),
        subject: "ann".into(),
        kind: IdentityKind::Enterprise,
        is_primary: false,
        created_at: now(),
        last_login_at: None,
    }
}

/// Kinds of the events that wait.
pub(super) async fn events(store: &Store) -> Vec<String> {
    let events = store.waiting_events(100).await.unwrap();
    events.into_iter().map(|event| event.kind).collect()
}

async fn a_user_is_read_as_written_and_changed(store: &Store) {
    let mut written = user("kp_1", 0);
    written.provided_id = Some("7".into());
    store.create_user(&written, None).await.unwrap();
    assert_eq!(store.user("kp_1").await.unwrap(), Some(written.clone()));
    written.is_suspended = true;
    written.family_name = Some("Osei".into());
    assert_eq!(store.update_user(&written, later(1)).await.unwrap(), 2);
    written.version = 2;
    assert_eq!(store.user("kp_1").await.unwrap(), Some(written));
    assert!(matches!(
        store.update_user(&user("kp_2", 0), now()).await,
        Err(StoreError::NotFound("user"))
    ));
    assert_eq!(events(store).await, ["user.created", "user.updated"]);
}

async fn a_change_of_another_version_of_a_user_is_refused(store: &Store) {
    store.create_user(&user("kp_1", 0), None).await.unwrap();
    store.update_user(&user("kp_1", 0), now()).await.unwrap();
    let stale = store.update_user(&user("kp_1", 0), now()).await;
    assert!(matches!(stale, Err(StoreError::Conflict("user"))));
    let stale = store.delete_user("kp_1", Some(1), now()).await;
    assert!(matches!(stale, Err(StoreError::Conflict("user"))));
    store.delete_user("kp_1", Some(2), now()).await.unwrap();
}

async fn an_id_of_the_operators_own_belongs_to_one_user(store: &Store) {
    let mut one = user("kp_1", 0);
    one.provided_id = Some("7".into());
    store.create_user(&one, None).await.unwrap();
    let mut other = user("kp_2", 0);
    store.create_user(&other, None).await.unwrap();
    store.create_user(&user("kp_3", 0), None).await.unwrap();
    other.provided_id = Some("7".into());
    let taken = store.update_user(&other, now()).await;
    assert!(matches!(taken, Err(StoreError::Conflict("row"))));
}

async fn two_users_may_have_one_address(store: &Store) {
    store.create_user(&user("kp_1", 0), None).await.unwrap();
    let mut other = user("kp_2", 1);
    other.email = Some("Ann@Example.com".into());
    store.create_user(&other, None).await.unwrap();
    let mut third = user("kp_3", 2);
    third.email = Some("bob@example.com".into());
    store.create_user(&third, None).await.unwrap();
    let found = async |emails: &[&str], ids: &[&str]| {
        let owned = |texts: &[&str]| {
            texts
                .iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>()
        };
        let (emails, ids) = (owned(emails), owned(ids));
        let filter = UserFilter {
            emails: &emails,
            ids: &ids,
        };
        let page = store.users(filter, PageRequest::default()).await.unwrap();
        page.items
            .into_iter()
            .map(|user| user.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(found(&["ANN@example.com"], &[]).await, ["kp_2", "kp_1"]);
    assert_eq!(
        found(&["ann@example.com", "bob@example.com"], &[])
            .await
            .len(),
        3
    );
    assert_eq!(
        found(&["ann@example.com"], &["kp_1", "kp_3"]).await,
        ["kp_1"]
    );
    assert_eq!(found(&[], &["kp_3", "kp_x"]).await, ["kp_3"]);
    assert!(found(&["%", "' OR 1=1 --"], &[]).await.is_empty());
    let known = store
        .known_users(&["kp_1".into(), "kp_x".into()])
        .await
        .unwrap();
    assert_eq!(known.into_iter().collect::<Vec<_>>(), ["kp_1"]);
}

async fn a_list_of_users_goes_on_where_its_last_row_was(store: &Store) {
    for number in 0..5 {
        // Three of one moment: the id decides.
        let user = user(&format!("kp_{number}"), i64::from(number / 3));
        store.create_user(&user, None).await.unwrap();
    }
    let page = async |position: Option<&Position>| {
        let request = PageRequest {
            position,
            page_size: 2,
            ..PageRequest::default()
        };
        let page = store.users(UserFilter::default(), request).await.unwrap();
        let ids: Vec<String> = page.items.iter().map(|user| user.id.clone()).collect();
        (ids, page.items.last().map(User::position), page.has_more)
    };
    let (ids, first, more) = page(None).await;
    assert_eq!((ids, more), (vec!["kp_4".into(), "kp_3".into()], true));
    // The row at the cursor goes, a newer one comes: the next page is what it would have been.
    store.delete_user("kp_3", None, now()).await.unwrap();
    store.create_user(&user("kp_9", 9), None).await.unwrap();
    let (ids, second, more) = page(first.as_ref()).await;
    assert_eq!((ids, more), (vec!["kp_2".into(), "kp_1".into()], true));
    let (ids, _, more) = page(second.as_ref()).await;
    assert_eq!((ids, more), (vec!["kp_0".to_owned()], false));
}

async fn a_suspension_ends_sessions_and_a_profile_never_takes_it_back(store: &Store) {
    store.add(&row(1, json!({}))).await;
    store.create_user(&user("kp_1", 0), None).await.unwrap();
    store
        .create_identity(&identity("identity_1", "kp_1", 1))
        .await
        .unwrap();
    store
        .run("INSERT INTO login_sessions (sid, user_id, identity_id, client_id, connection_id, created_at)
              VALUES ('login_1', 'kp_1', 'identity_1', 'demo', 'conn_1', 1800000005000)")
        .await;
    assert_eq!(store.last_sign_in("kp_1").await.unwrap(), Some(later(5)));
    let mut suspended = user("kp_1", 0);
    suspended.is_suspended = true;
    store.update_user(&suspended, later(9)).await.unwrap();
    let session = store.login_session("login_1").await.unwrap().unwrap();
    assert_eq!(session.ended_at, Some(later(9)));
    let mut stale = user("kp_1", 0);
    stale.version = 2;
    let mut transaction = store.begin().await.unwrap();
    crate::store::person::update_profile(&mut transaction, &stale, later(9))
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    assert!(store.user("kp_1").await.unwrap().unwrap().is_suspended);
}

async fn a_deleted_user_leaves_nothing_but_the_news(store: &Store) {
    store.add(&row(1, json!({}))).await;
    store
        .create_organization(&organization("org_0000000000a"))
        .await
        .unwrap();
    store
        .create_user(&user("kp_1", 0), Some("org_0000000000a"))
        .await
        .unwrap();
    store
        .create_identity(&identity("identity_1", "kp_1", 1))
        .await
        .unwrap();
    let ids = ["kp_1".to_owned()];
    let member = ("kp_1".to_owned(), "org_0000000000a".to_owned());
    assert_eq!(store.memberships(&ids).await.unwrap(), [member]);
    store.delete_user("kp_1", None, now()).await.unwrap();
    let told = events(store).await;
    assert_eq!(told.last().map(String::as_str), Some("user.deleted"));
    store.forget_events().await;
    assert_eq!(store.row_counts().await, [0; 6]);
    assert!(matches!(
        store.delete_user("kp_1", None, now()).await,
        Err(StoreError::NotFound("user"))
    ));
    let nowhere = store.create_user(&user("kp_2", 0), Some("org_x")).await;
    assert!(matches!(nowhere, Err(StoreError::NotFound(_))));
    assert_eq!(store.user("kp_2").await.unwrap(), None);
}
