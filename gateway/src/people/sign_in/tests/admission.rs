//! Whether the login may end here: connection, application, store.

use super::*;

#[tokio::test]
async fn a_connection_disabled_in_between_ends_the_login() {
    let scene = Scene::new(json!({})).await;
    for status in [Status::Disabled, Status::Draft] {
        scene
            .store
            .change_connection_status(&id(1), status, now())
            .await
            .unwrap();
        assert_eq!(
            scene.refused(&ann(1)).await,
            PeopleRefusal::ConnectionDisabled
        );
    }
    scene
        .store
        .change_connection_status(&id(1), Status::Active, now())
        .await
        .unwrap();
    scene.attempt(&ann(1)).await.unwrap();
}

#[tokio::test]
async fn a_connection_deleted_in_between_ends_the_login() {
    let scene = Scene::new(json!({})).await;
    scene.store.delete_connection(&id(1), 1).await.unwrap();
    assert_eq!(
        scene.refused(&ann(1)).await,
        PeopleRefusal::ConnectionMissing
    );
}

#[tokio::test]
async fn settings_changed_in_between_are_obeyed() {
    let mut scene = Scene::new(json!({})).await;
    scene.row.options = json!({ "is_create_missing_user": false });
    scene
        .store
        .update_connection(&scene.row, 1, crate::store::connection::Beside::default())
        .await
        .unwrap();
    assert_eq!(scene.refused(&ann(1)).await, PeopleRefusal::UserUnknown);
}

#[tokio::test]
async fn an_identity_speaks_for_its_own_connection_only() {
    let scene = Scene::new(json!({})).await;
    scene.store.add(&row(2, json!({}))).await;
    let mut login = ann(1);
    login.identity = identity(2, "ann");
    assert_eq!(
        scene.refused(&login).await,
        PeopleRefusal::ConnectionMissing
    );
}

#[tokio::test]
async fn a_connection_that_is_not_enabled_leads_nowhere_but_by_domain() {
    let scene = Scene::with(row(1, json!({})), false).await;
    let mut by_domain = ann(1);
    by_domain.by_domain = true;
    assert_eq!(
        scene.refused(&ann(1)).await,
        PeopleRefusal::ConnectionNotEnabled
    );
    assert_eq!(
        scene.refused(&by_domain).await,
        PeopleRefusal::ConnectionNotEnabled
    );
    let domains = ["example.com".to_owned()];
    let beside = crate::store::connection::Beside {
        domains: Some(&domains),
        ..Default::default()
    };
    scene
        .store
        .update_connection(&scene.row, 1, beside)
        .await
        .unwrap();
    scene.attempt(&by_domain).await.unwrap();
    assert_eq!(
        scene.refused(&ann(2)).await,
        PeopleRefusal::ConnectionNotEnabled
    );
}

#[tokio::test]
async fn an_applications_fallback_connection_needs_no_enabling() {
    // The application `demo` names connection 9.
    let scene = Scene::with(row(9, json!({})), false).await;
    let mut login = ann(1);
    login.identity = identity(9, "ann");
    scene.attempt(&login).await.unwrap();
    scene
        .store
        .create_application(
            &crate::store::application::Application {
                fallback_connection: None,
                ..application("other")
            },
            now(),
        )
        .await
        .unwrap();
    let other = Try {
        client_id: "other",
        handle: 2,
        ..login
    };
    assert_eq!(
        scene.refused(&other).await,
        PeopleRefusal::ConnectionNotEnabled
    );
}

#[tokio::test]
async fn an_unlinked_application_is_refused_from_then_on() {
    let scene = Scene::new(json!({})).await;
    scene.attempt(&ann(1)).await.unwrap();
    scene
        .store
        .link_application("demo", &id(1), false)
        .await
        .unwrap();
    assert_eq!(
        scene.refused(&ann(2)).await,
        PeopleRefusal::ConnectionNotEnabled
    );
}

#[tokio::test]
async fn a_database_that_is_gone_is_our_own_fault() {
    let scene = Scene::new(json!({})).await;
    scene.store.close().await;
    assert_eq!(
        scene.attempt(&ann(1)).await.unwrap_err(),
        StoreRefusal::Unavailable
    );
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_our_own_fault() {
    let mut scene = Scene::new(json!({})).await;
    scene.row.options = json!({ "is_trusted": 7 });
    scene
        .store
        .update_connection(&scene.row, 1, crate::store::connection::Beside::default())
        .await
        .unwrap();
    assert_eq!(scene.refused(&ann(1)).await, StoreRefusal::Corrupt);
}

#[tokio::test]
async fn a_write_that_fails_midway_leaves_nothing() {
    let scene = Scene::new(json!({})).await;
    let before = scene.store.row_counts().await;
    scene
        .store
        .run("ALTER TABLE outbox RENAME COLUMN type TO kind")
        .await;
    assert_eq!(
        scene.attempt(&ann(1)).await.unwrap_err(),
        StoreRefusal::Unavailable
    );
    assert_eq!(scene.store.row_counts().await, before);
    scene
        .store
        .run("ALTER TABLE outbox RENAME COLUMN kind TO type")
        .await;
    assert!(scene.attempt(&ann(1)).await.unwrap().created);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_login_that_is_dropped_midway_is_whole_or_not_there() {
    let scene = Scene::new(json!({})).await;
    for handle in 0..300 {
        let (store, connection) = ((*scene.store).clone(), scene.connection.clone());
        let task = tokio::spawn(async move { attempt(&store, &connection, &ann(handle)).await });
        for _ in 0..handle {
            std::hint::spin_loop();
            tokio::task::yield_now().await;
        }
        task.abort();
        let _ = task.await;
    }
    let counts = scene.store.row_counts().await;
    let [marks, users, identities, _, sessions, _] = counts[..] else {
        panic!("six tables");
    };
    assert_eq!(marks, sessions);
    assert!(users == identities && users <= 1);
    scene.attempt(&ann(1000)).await.unwrap();
}
