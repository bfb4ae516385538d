use super::on_every_backend;
use crate::store::application::Source;
use crate::store::connection::Beside;
use crate::store::testing::{application, id, later, now, row};
use crate::store::{Store, StoreError};
use serde_json::json;

on_every_backend!(
    an_application_is_read_as_it_was_written,
    configuring_again_removes_what_is_gone_and_keeps_the_others,
    a_configured_application_is_not_changed_by_the_api,
    a_configured_application_keeps_its_connections,
    what_is_kept_in_memory_follows_every_change,
    facts_are_written_once,
);

async fn an_application_is_read_as_it_was_written(store: &Store) {
    let written = application("demo");
    store.create_application(&written, now()).await.unwrap();
    assert_eq!(
        store.application("demo").await.unwrap(),
        Some((written.clone(), Source::Api))
    );
    assert_eq!(store.application("other").await.unwrap(), None);
    assert!(matches!(
        store.create_application(&written, now()).await,
        Err(StoreError::Conflict("application"))
    ));
}

async fn configuring_again_removes_what_is_gone_and_keeps_the_others(store: &Store) {
    store
        .create_application(&application("api"), now())
        .await
        .unwrap();
    store
        .put_configured_applications(&[application("a"), application("b")], now())
        .await
        .unwrap();
    let mut changed = application("b");
    changed.name = "B".into();
    store
        .put_configured_applications(&[changed], later(1))
        .await
        .unwrap();
    let left: Vec<_> = store
        .applications()
        .await
        .unwrap()
        .into_iter()
        .map(|(one, source)| (one.name, source))
        .collect();
    assert_eq!(
        left,
        [
            ("api".to_owned(), Source::Api),
            ("B".to_owned(), Source::Config)
        ]
    );
}

async fn a_configured_application_is_not_changed_by_the_api(store: &Store) {
    store
        .put_configured_applications(&[application("a")], now())
        .await
        .unwrap();
    assert!(matches!(
        store.update_application(&application("a"), now()).await,
        Err(StoreError::NotFound("application"))
    ));
    assert!(matches!(
        store.delete_application("a").await,
        Err(StoreError::NotFound("application"))
    ));
}

async fn a_configured_application_keeps_its_connections(store: &Store) {
    store
        .put_configured_applications(&[application("a")], now())
        .await
        .unwrap();
    let applications = ["a".to_owned()];
    let beside = Beside {
        applications: Some(&applications),
        ..Beside::default()
    };
    store
        .create_connection(&row(1, json!({})), beside)
        .await
        .unwrap();
    store
        .put_configured_applications(&[application("a")], later(1))
        .await
        .unwrap();
    assert_eq!(
        store.connection_applications(&id(1)).await.unwrap(),
        applications
    );
}

async fn what_is_kept_in_memory_follows_every_change(store: &Store) {
    let near = async |client_id: &str| {
        let found = store.near_application(client_id).await.unwrap();
        found.map(|application| application.name.clone())
    };
    assert_eq!(near("demo").await, None);
    let mut written = application("demo");
    store.create_application(&written, now()).await.unwrap();
    assert_eq!(near("demo").await, Some(written.name.clone()));
    written.name = "Another name".to_owned();
    store.update_application(&written, later(1)).await.unwrap();
    assert_eq!(near("demo").await.as_deref(), Some("Another name"));
    store.delete_application("demo").await.unwrap();
    assert_eq!(near("demo").await, None);

    let configured = [application("a")];
    store
        .put_configured_applications(&configured, now())
        .await
        .unwrap();
    assert_eq!(near("a").await, Some(configured[0].name.clone()));
    store
        .put_configured_applications(&[], later(1))
        .await
        .unwrap();
    assert_eq!(near("a").await, None);
}

async fn facts_are_written_once(store: &Store) {
    assert_eq!(
        store.put_setting_once("sealed_with", "a").await.unwrap(),
        "a"
    );
    assert_eq!(
        store.put_setting_once("sealed_with", "b").await.unwrap(),
        "a"
    );
    assert_eq!(
        store.setting("sealed_with").await.unwrap().as_deref(),
        Some("a")
    );
    assert!(!store.holds_sealed().await.unwrap());
    let mut sealed = row(1, json!({}));
    sealed.secrets = Some(vec![0; 40]);
    store.add(&sealed).await;
    assert!(store.holds_sealed().await.unwrap());
}
