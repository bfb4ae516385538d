use super::on_every_backend;
use crate::store::application::{PreviousSecret, Source};
use crate::store::connection::Beside;
use crate::store::page::PageRequest;
use crate::store::testing::{application, id, later, now, row};
use crate::store::{Store, StoreError};
use serde_json::json;

on_every_backend!(
    an_application_is_read_as_it_was_written,
    configuring_again_removes_what_is_gone_and_keeps_the_others,
    a_configured_application_is_not_changed_by_the_api,
    a_configured_application_keeps_its_connections,
    of_two_changes_to_an_application_one_is_lost_and_told,
    applications_are_paged_newest_first,
    an_address_for_after_a_sign_out_is_found_as_long_as_an_application_has_it,
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
    let left = store.applications(PageRequest::default()).await.unwrap();
    let mut left: Vec<_> = left
        .items
        .into_iter()
        .map(|one| (one.application.name, one.source))
        .collect();
    left.sort_by(|one, other| other.0.cmp(&one.0));
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
        store.update_application(&application("a"), 1, now()).await,
        Err(StoreError::NotFound("application"))
    ));
    assert!(matches!(
        store.delete_application("a", 1).await,
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

async fn of_two_changes_to_an_application_one_is_lost_and_told(store: &Store) {
    let mut written = application("demo");
    store.create_application(&written, now()).await.unwrap();
    written.previous_secret = Some(PreviousSecret {
        hash: vec![9],
        expires_at: later(60),
    });
    let version = store.update_application(&written, 1, later(1)).await;
    assert_eq!(version.unwrap(), 2);
    for late in [
        store.update_application(&written, 1, later(2)).await.err(),
        store.delete_application("demo", 1).await.err(),
    ] {
        assert!(matches!(late, Some(StoreError::Conflict("application"))));
    }
    let found = store.registered_application("demo").await.unwrap().unwrap();
    assert_eq!(found.application, written);
    assert_eq!((found.version, found.created_at), (2, now()));
    assert_eq!(found.updated_at, later(1));
}

async fn applications_are_paged_newest_first(store: &Store) {
    for (second, client_id) in ["a", "b", "c"].into_iter().enumerate() {
        let at = later(i64::try_from(second).unwrap());
        store
            .create_application(&application(client_id), at)
            .await
            .unwrap();
    }
    let page = async |request| {
        let page = store.applications(request).await.unwrap();
        let ids = page.items.into_iter().map(|one| one.application.client_id);
        (ids.collect::<String>(), page.has_more)
    };
    let two = PageRequest {
        page_size: 2,
        ..PageRequest::default()
    };
    assert_eq!(page(two).await, ("cb".to_owned(), true));
    let after = PageRequest {
        starting_after: Some("b"),
        ..two
    };
    assert_eq!(page(after).await, ("a".to_owned(), false));
    let before = PageRequest {
        ending_before: Some("a"),
        ..two
    };
    assert_eq!(page(before).await, ("cb".to_owned(), false));
    let stranger = PageRequest {
        starting_after: Some("z"),
        ..two
    };
    assert!(matches!(
        store.applications(stranger).await,
        Err(StoreError::NotFound("application"))
    ));
}

async fn an_address_for_after_a_sign_out_is_found_as_long_as_an_application_has_it(store: &Store) {
    let mut written = application("demo");
    let (kept, left) = ("https://app.test/bye", "https://app.test/left");
    written.post_logout_redirect_uris = vec![kept.into(), kept.into(), left.into()];
    store.create_application(&written, now()).await.unwrap();
    let known = async |uri: &str| store.is_post_logout_redirect_uri(uri).await.unwrap();
    assert!(known(kept).await && known(left).await && !known("https://app.test/").await);
    written.post_logout_redirect_uris = vec![kept.into()];
    store
        .update_application(&written, 1, later(1))
        .await
        .unwrap();
    assert!(known(kept).await && !known(left).await);
    store.delete_application("demo", 2).await.unwrap();
    assert!(!known(kept).await);
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
    store
        .update_application(&written, 1, later(1))
        .await
        .unwrap();
    assert_eq!(near("demo").await.as_deref(), Some("Another name"));
    store.delete_application("demo", 2).await.unwrap();
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
        // Whoever came last has written its list whole, and nothing of another's.
        let mut left = Vec::new();
        for name in ["a", "b", "c"] {
            if store.application(name).await.unwrap().is_some() {
                left.push(name);
            }
        }
        assert!([["a", "b"], ["b", "c"], ["a", "c"]].contains(&[left[0], left[1]]));
        assert_eq!(left.len(), 2);
    }
}

async fn who_asks_for_a_text_that_cannot_be_kept_finds_nothing(store: &Store) {
    assert_eq!(store.application("a\0b").await.unwrap(), None);
    assert_eq!(store.user("a\0b").await.unwrap(), None);
    // And the session is as good as before.
    assert!(
        store
            .applications(PageRequest::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
}
