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
    of_many_who_take_a_name_one_has_it,
    gateways_that_configure_together_all_come_to_an_end,
    who_asks_for_a_text_that_cannot_be_kept_finds_nothing,
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

async fn of_many_who_take_a_name_one_has_it(store: &Store) {
    let takers: Vec<_> = (0..8)
        .map(|number| {
            let (store, mut wanted) = (store.clone(), application("wanted"));
            wanted.name = format!("taker {number}");
            tokio::spawn(async move {
                let taken = store.create_application(&wanted, now()).await;
                (wanted, taken)
            })
        })
        .collect();
    let mut has = Vec::new();
    for taker in takers {
        match taker.await.unwrap() {
            (wanted, Ok(())) => has.push(wanted),
            (_, refused) => {
                assert!(matches!(refused, Err(StoreError::Conflict("application"))));
            }
        }
    }
    assert_eq!(has.len(), 1);
    let (kept, _) = store.application("wanted").await.unwrap().unwrap();
    assert_eq!(kept, has[0]);
}

async fn gateways_that_configure_together_all_come_to_an_end(store: &Store) {
    let lists = [["a", "b"], ["b", "c"], ["c", "a"], ["b", "a"]];
    for _ in 0..4 {
        let starts: Vec<_> = lists
            .iter()
            .map(|names| {
                let (store, list) = (store.clone(), names.map(application));
                tokio::spawn(async move { store.put_configured_applications(&list, now()).await })
            })
            .collect();
        for start in starts {
            start.await.unwrap().unwrap();
        }
    }
    assert!(store.application("a").await.unwrap().is_some());
}

async fn who_asks_for_a_text_that_cannot_be_kept_finds_nothing(store: &Store) {
    assert_eq!(store.application("a\0b").await.unwrap(), None);
    assert_eq!(store.user("a\0b").await.unwrap(), None);
    // And the session is as good as before.
    assert!(store.applications().await.unwrap().is_empty());
}
