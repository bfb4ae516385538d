use fedgate_providers::connection::Status;
use serde_json::json;

use super::on_every_backend;
use crate::store::connection::{Beside, Dependants};
use crate::store::connection_list::Among;
use crate::store::domain::DomainRoute;
use crate::store::error::DomainTaken;
use crate::store::metadata_revision::{REVISIONS_KEPT, Revision, RevisionSource};
use crate::store::page::{Page, PageRequest};
use crate::store::testing::{application, id, later, now, organization, row};
use crate::store::{Store, StoreError};

on_every_backend!(
    a_list_holds_those_that_it_is_about,
    a_connection_is_read_as_it_was_written,
    a_domain_leads_to_one_connection,
    every_taken_domain_is_named_and_nothing_is_written,
    of_two_changes_to_one_version_the_second_is_told,
    a_status_change_moves_the_version,
    pages_lead_through_the_whole_list_and_back,
    a_list_is_filtered_by_domain,
    a_deleted_connection_takes_along_what_was_its_own,
    an_unknown_application_is_told,
    one_revision_of_metadata_is_live,
);

fn domains(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

async fn with_domains(store: &Store, number: u32, names: &[&str]) -> Result<(), StoreError> {
    let domains = domains(names);
    store
        .create_connection(
            &row(number, json!({})),
            Beside {
                domains: Some(&domains),
                ..Beside::default()
            },
        )
        .await
}

async fn a_connection_is_read_as_it_was_written(store: &Store) {
    let mut written = row(1, json!({ "saml_entity_id": "x", "is_trusted": true }));
    written.secrets = Some(vec![0, 255, 7]);
    store.add(&written).await;
    assert_eq!(
        store.connection(&id(1)).await.unwrap(),
        Some(written.clone())
    );
    assert_eq!(store.connection(&id(2)).await.unwrap(), None);
    assert!(matches!(
        store.create_connection(&written, Beside::default()).await,
        Err(StoreError::Conflict(_))
    ));
}

async fn a_domain_leads_to_one_connection(store: &Store) {
    with_domains(store, 1, &["example.com", "example.org"])
        .await
        .unwrap();
    let route = DomainRoute {
        connection_id: id(1),
        version: 1,
        status: Status::Active,
    };
    assert_eq!(store.route("example.com").await.unwrap(), Some(route));
    for stranger in ["sub.example.com", "com", "Example.com", "", "%"] {
        assert_eq!(store.route(stranger).await.unwrap(), None, "{stranger}");
    }
    assert_eq!(
        store.domains(&id(1)).await.unwrap(),
        ["example.com", "example.org"]
    );
}

async fn every_taken_domain_is_named_and_nothing_is_written(store: &Store) {
    with_domains(store, 1, &["a.test", "b.test"]).await.unwrap();
    let error = with_domains(store, 2, &["b.test", "c.test", "a.test", "c.test"])
        .await
        .unwrap_err();
    let taken = |index, domain: &str| DomainTaken {
        index,
        domain: domain.to_owned(),
    };
    assert!(
        matches!(error, StoreError::DomainsTaken(all) if all == [taken(0, "b.test"), taken(2, "a.test")])
    );
    assert_eq!(store.connection(&id(2)).await.unwrap(), None);
    assert_eq!(store.route("c.test").await.unwrap(), None);
}

async fn of_two_changes_to_one_version_the_second_is_told(store: &Store) {
    let mut one = row(1, json!({}));
    store.add(&one).await;
    one.display_name = "Renamed".into();
    assert_eq!(
        store
            .update_connection(&one, 1, Beside::default())
            .await
            .unwrap(),
        2
    );
    assert!(matches!(
        store.update_connection(&one, 1, Beside::default()).await,
        Err(StoreError::Conflict("connection"))
    ));
    let absent = row(2, json!({}));
    assert!(matches!(
        store.update_connection(&absent, 1, Beside::default()).await,
        Err(StoreError::NotFound("connection"))
    ));
    let read = store.connection(&id(1)).await.unwrap().unwrap();
    assert_eq!(
        (read.version, read.display_name.as_str(), read.created_at),
        (2, "Renamed", one.created_at)
    );
}

async fn a_status_change_moves_the_version(store: &Store) {
    with_domains(store, 1, &["a.test"]).await.unwrap();
    assert_eq!(
        store
            .change_connection_status(&id(1), Status::Disabled, later(9))
            .await
            .unwrap(),
        2
    );
    let route = store.route("a.test").await.unwrap().unwrap();
    assert_eq!((route.version, route.status), (2, Status::Disabled));
    let absent = store
        .change_connection_status(&id(2), Status::Disabled, later(9))
        .await;
    assert!(matches!(absent, Err(StoreError::NotFound("connection"))));
}

async fn pages_lead_through_the_whole_list_and_back(store: &Store) {
    for number in 0..5 {
        let mut one = row(number, json!({}));
        // Three of one moment: the id decides.
        one.created_at = later(i64::from(number / 3));
        store.add(&one).await;
    }
    let page = async |starting_after: Option<&str>, ending_before: Option<&str>| {
        let page = store
            .connections(
                Among::All,
                PageRequest {
                    starting_after,
                    ending_before,
                    page_size: 2,
                    ..PageRequest::default()
                },
            )
            .await
            .unwrap();
        Page {
            items: page
                .items
                .into_iter()
                .map(|one| one.name)
                .collect::<Vec<_>>(),
            has_more: page.has_more,
        }
    };
    let of = |names: &[&str], has_more| Page {
        items: domains(names),
        has_more,
    };
    assert_eq!(page(None, None).await, of(&["c4", "c3"], true));
    assert_eq!(
        page(Some(id(3).as_str()), None).await,
        of(&["c2", "c1"], true)
    );
    assert_eq!(page(Some(id(1).as_str()), None).await, of(&["c0"], false));
    assert_eq!(
        page(None, Some(id(1).as_str())).await,
        of(&["c3", "c2"], true)
    );
    assert_eq!(page(None, Some(id(3).as_str())).await, of(&["c4"], false));
    let unknown = PageRequest {
        starting_after: Some("conn_x"),
        ..PageRequest::default()
    };
    assert!(matches!(
        store.connections(Among::All, unknown).await,
        Err(StoreError::NotFound("connection"))
    ));
}

async fn a_list_is_filtered_by_domain(store: &Store) {
    with_domains(store, 1, &["a.test"]).await.unwrap();
    with_domains(store, 2, &["b.test"]).await.unwrap();
    let found = store
        .connections(Among::Domain("b.test"), PageRequest::default())
        .await
        .unwrap();
    assert_eq!(
        found
            .items
            .iter()
            .map(|one| one.id.clone())
            .collect::<Vec<_>>(),
        [id(2)]
    );
    assert!(
        store
            .connections(Among::Domain("c.test"), PageRequest::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
}

async fn a_deleted_connection_takes_along_what_was_its_own(store: &Store) {
    store
        .create_application(&application("demo"), now())
        .await
        .unwrap();
    let (domains, applications) = (domains(&["a.test"]), domains(&["demo"]));
    let beside = Beside {
        replaced: None,
        domains: Some(&domains),
        applications: Some(&applications),
        metadata: None,
        event: None,
    };
    store
        .create_connection(&row(1, json!({})), beside)
        .await
        .unwrap();
    assert_eq!(
        store.dependants(&id(1)).await.unwrap(),
        Dependants {
            users: 0,
            applications: 1,
            domains: 1
        }
    );
    store.delete_connection(&id(1), 1).await.unwrap();
    assert!(!store.dependants(&id(1)).await.unwrap().any());
    assert!(matches!(
        store.delete_connection(&id(1), 1).await,
        Err(StoreError::NotFound("connection"))
    ));
    with_domains(store, 2, &["a.test"]).await.unwrap();
}

async fn an_unknown_application_is_told(store: &Store) {
    store.add(&row(1, json!({}))).await;
    assert!(matches!(
        store.link_application("demo", &id(1), true).await,
        Err(StoreError::NotFound(_))
    ));
    store
        .create_application(&application("demo"), now())
        .await
        .unwrap();
    store.link_application("demo", &id(1), true).await.unwrap();
    store.link_application("demo", &id(1), true).await.unwrap();
    assert_eq!(
        store.application_connections("demo").await.unwrap().len(),
        1
    );
    store.link_application("demo", &id(1), false).await.unwrap();
    assert!(
        store
            .application_connections("demo")
            .await
            .unwrap()
            .is_empty()
    );
}

async fn one_revision_of_metadata_is_live(store: &Store) {
    store.add(&row(1, json!({}))).await;
    assert_eq!(store.live_metadata(&id(1)).await.unwrap(), None);
    for number in 0..REVISIONS_KEPT + 3 {
        let revision = Revision {
            id: format!("rev_{number}"),
            source: RevisionSource::Url,
            document: format!("<md n='{number}'/>"),
            sha256: [7; 32],
            fetched_at: later(number),
        };
        store.put_live_metadata(&id(1), &revision).await.unwrap();
        assert_eq!(store.live_metadata(&id(1)).await.unwrap(), Some(revision));
    }
    assert_eq!(store.count_of_revisions(&id(1)).await, REVISIONS_KEPT);
}

async fn a_list_holds_those_that_it_is_about(store: &Store) {
    store
        .create_application(&application("app"), now())
        .await
        .unwrap();
    let code = "org_00000000001";
    store
        .create_organization(&organization(code))
        .await
        .unwrap();
    for number in 1..5 {
        let mut one = row(number, json!({}));
        one.created_at = later(i64::from(number));
        one.organization_code = (number == 4).then(|| code.to_owned());
        store.add(&one).await;
    }
    store.link_application("app", &id(1), true).await.unwrap();
    store.link_application("app", &id(3), true).await.unwrap();
    store.link_organization(code, &id(2), true).await.unwrap();
    let found = async |among, starting_after: Option<&str>| {
        let request = PageRequest {
            starting_after,
            page_size: 1,
            ..PageRequest::default()
        };
        let page = store.connections(among, request).await.unwrap();
        (page.items[0].id.clone(), page.has_more)
    };
    let of_application = Among::Application("app");
    assert_eq!(found(of_application, None).await, (id(3), true));
    let after = id(3);
    let rest = found(of_application, Some(after.as_str())).await;
    assert_eq!(rest, (id(1), false));
    let of_organization = Among::Organization(code);
    assert_eq!(found(of_organization, None).await, (id(4), true));
    let after = id(4);
    let rest = found(of_organization, Some(after.as_str())).await;
    assert_eq!(rest, (id(2), false));
    assert_eq!(found(Among::All, None).await, (id(4), true));
}
