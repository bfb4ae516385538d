//! What is PostgreSQL's alone: migrations by many, sessions that are lost, the lock of a gateway that is alone.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use fedgate_test_servers::postgres::{Database, execute};

use crate::store::testing::{TestStore, application, now};
use crate::store::{Store, StoreError};

/// Ends every other session on the database.
const END_SESSIONS: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()";

fn names(backend: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("migrations")
        .join(backend);
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn both_databases_have_migrations_of_the_same_names() {
    assert_eq!(names("postgres"), names("sqlite"));
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_start_together_make_the_tables_once() {
    let database = Database::fresh();
    let url = database.url();
    let (one, two, three, four) = tokio::join!(
        Store::open(url),
        Store::open(url),
        Store::open(url),
        Store::open(url)
    );
    for store in [one, two, three, four] {
        store.unwrap().ping().await.unwrap();
    }
    let made = execute(database.url(), "SELECT count(*) FROM _sqlx_migrations");
    assert_eq!(made, names("postgres").len().to_string());
}

#[tokio::test]
async fn a_wrong_password_or_server_is_told_without_the_url() {
    for url in [
        "postgres://fedgate:hunter2@127.0.0.1:1/fedgate",
        "postgres://fedgate:hunter2@127.0.0.1:1/fedgate?sslmode=hunter2",
        "postgres://fedgate:hunter2@nowhere.invalid/fedgate?connect_timeout=1",
    ] {
        let error = Store::open(url).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        let refusal = fedgate_providers::error::Refusal::from(error);
        assert!(!format!("{refusal:?} {refusal}").contains("fedgate:hunter2"));
    }
}

#[tokio::test]
async fn sessions_that_the_server_ended_are_replaced_before_anybody_notices() {
    let store = TestStore::postgres().await;
    for round in 0..3 {
        let (one, two) = (store.reader().await.unwrap(), store.reader().await.unwrap());
        drop((one, two));
        execute(&store.url(), END_SESSIONS);
        store
            .applications(crate::store::page::PageRequest::default())
            .await
            .unwrap();
        execute(&store.url(), END_SESSIONS);
        let name = format!("demo-{round}");
        store
            .create_application(&application(&name), now())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_transaction_whose_session_is_lost_is_not_committed() {
    let store = TestStore::postgres().await;
    let mut transaction = store.begin().await.unwrap();
    crate::store::query::execute!(
        transaction,
        "INSERT INTO settings (name, value) VALUES ('lost', '')"
    )
    .unwrap();
    execute(&store.url(), END_SESSIONS);
    assert!(matches!(
        transaction.commit().await,
        Err(StoreError::Unavailable(_))
    ));
    assert_eq!(store.setting("lost").await.unwrap(), None);
}

#[tokio::test]
async fn a_statement_that_failed_undoes_its_transaction_and_no_commit_hides_it() {
    let store = TestStore::postgres().await;
    let mut transaction = store.begin().await.unwrap();
    for expected in [true, false] {
        let written = crate::store::query::execute!(
            transaction,
            "INSERT INTO settings (name, value) VALUES ('twice', '')"
        );
        assert_eq!(written.is_ok(), expected);
    }
    assert!(transaction.commit().await.is_err());
    assert_eq!(store.setting("twice").await.unwrap(), None);
}

#[tokio::test]
async fn whoever_gives_up_in_the_middle_leaves_a_session_that_works() {
    let store = TestStore::postgres().await;
    for number in 0..20 {
        let mut transaction = store.begin().await.unwrap();
        let waiting = async {
            crate::store::query::execute!(transaction, "SELECT pg_sleep(0.05)").unwrap();
        };
        let gave_up = tokio::time::timeout(Duration::from_millis(number), waiting).await;
        assert!(gave_up.is_err());
        drop(transaction);
        store.ping().await.unwrap();
    }
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()";
    let sessions: usize = execute(&store.url(), sessions).parse().unwrap();
    assert!(sessions <= crate::store::CONNECTIONS + 1, "{sessions}");
}

#[tokio::test]
async fn a_second_gateway_is_refused_until_the_first_one_ends() {
    let first = TestStore::postgres().await;
    first.keep_alone().await.unwrap();
    let second = Store::open(&first.url()).await.unwrap();
    let refused = second.keep_alone().await;
    assert!(matches!(refused, Err(StoreError::Held)), "{refused:?}");
    // What only looks at the database is not kept out.
    second.ping().await.unwrap();
    first.close().await;
    second.keep_alone().await.unwrap();
}

#[tokio::test]
async fn a_gateway_that_lost_its_lock_writes_nothing_until_it_holds_it_again() {
    let store = TestStore::postgres().await;
    store.keep_alone().await.unwrap();
    let other = Store::open(&store.url()).await.unwrap();
    // Another gateway takes the place as soon as the lock is free.
    let locks = "FROM pg_locks WHERE locktype = 'advisory'
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let url = store.url();
    let taking = async { while other.keep_alone().await.is_err() {} };
    let ending = async {
        let waiting = format!("SELECT count(*) {locks} AND NOT granted");
        while execute(&url, &waiting) == "0" {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let end = format!("SELECT pg_terminate_backend(pid) {locks} AND granted");
        execute(&url, &end);
        while store.ping().await.is_ok() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::join!(taking, ending);
    assert!(matches!(store.begin().await, Err(StoreError::Displaced)));
    assert!(matches!(store.turn().await, Err(StoreError::Displaced)));
    other.close().await;
    while store.ping().await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    store
        .create_application(&application("demo"), now())
        .await
        .unwrap();
}
