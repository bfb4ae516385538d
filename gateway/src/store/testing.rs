//! What the tests of the store and of what is above it share.

use std::ops::Deref;

use fedgate_certs::Timestamp;
use fedgate_certs::key::SigningAlgorithm;
use fedgate_providers::connection::{Connection, ConnectionId, Options, Status};
use fedgate_providers::spec::Spec;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::Store;
use super::application::Application;
use super::connection::{Beside, StoredConnection};
use super::organization::Organization;
use super::query::{execute, fetch_all};

/// A store in a file that goes away with it.
pub(crate) struct TestStore {
    store: Store,
    #[cfg_attr(
        not(feature = "crash-points"),
        expect(dead_code, reason = "it goes away with the store")
    )]
    directory: TempDir,
}

impl TestStore {
    pub(crate) async fn sqlite() -> Self {
        let directory = TempDir::new().expect("a directory");
        let path = directory.path().join("fedgate.db");
        let store = Store::open(&format!("sqlite:{}", path.display()))
            .await
            .expect("a store");
        Self { store, directory }
    }

    /// Where it is, for another process.
    #[cfg(feature = "crash-points")]
    pub(crate) fn url(&self) -> String {
        format!(
            "sqlite:{}",
            self.directory.path().join("fedgate.db").display()
        )
    }

    /// Opens it again, after another process had it.
    #[cfg(feature = "crash-points")]
    pub(crate) async fn reopen(&mut self) {
        self.store.close().await;
        self.store = Store::open(&self.url()).await.expect("a store");
    }
}

impl Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).expect("in range")
}

/// So many seconds after [`now`].
pub(crate) fn later(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).expect("in range")
}

pub(crate) fn id(number: u32) -> ConnectionId {
    ConnectionId::parse(&format!("conn_{number:032x}")).expect("an id")
}

pub(crate) fn application(client_id: &str) -> Application {
    Application {
        client_id: client_id.to_owned(),
        name: client_id.to_owned(),
        secret_hash: Some(vec![1, 2, 3]),
        redirect_uris: vec!["https://app.test/cb".into()],
        post_logout_redirect_uris: Vec::new(),
        backchannel_logout_uri: None,
        initiate_login_uri: None,
        fallback_connection: Some(id(9)),
        id_token_signed_response_alg: SigningAlgorithm::Es256,
        grant_types: vec!["authorization_code".into()],
        scopes: Vec::new(),
        jwks: Some(json!({ "keys": [] })),
        jwks_uri: None,
    }
}

pub(crate) fn organization(code: &str) -> Organization {
    Organization {
        code: code.to_owned(),
        name: "Example".into(),
        external_id: None,
        handle: None,
        is_allow_registrations: false,
        is_auto_membership_enabled: false,
        created_at: now(),
    }
}

/// A row of an active `saml:okta` connection with these options, made `number` seconds after [`now`].
pub(crate) fn row(number: u32, options: Value) -> StoredConnection {
    StoredConnection {
        id: id(number),
        version: 1,
        name: format!("c{number}"),
        display_name: format!("Connection {number}"),
        strategy: "saml:okta".into(),
        status: Status::Active,
        organization_code: None,
        options,
        secrets: None,
        created_at: later(number.into()),
        updated_at: later(number.into()),
    }
}

/// The connection behind a row, opened.
pub(crate) fn opened(row: &StoredConnection) -> Connection {
    let spec = Spec::of(&row.strategy).expect("a spec");
    let members: Map<String, Value> = row.options.as_object().cloned().unwrap_or_default();
    Connection {
        id: row.id.clone(),
        version: row.version,
        name: row.name.clone(),
        display_name: row.display_name.clone(),
        spec,
        status: row.status,
        organization_code: row.organization_code.clone(),
        options: Options::from_json(spec, &members).expect("sound options"),
    }
}

impl Store {
    /// Adds a connection without anything beside it.
    pub(crate) async fn add(&self, row: &StoredConnection) {
        self.create_connection(row, Beside::default())
            .await
            .expect("a connection");
    }

    /// Changes the database behind the store's back.
    pub(crate) async fn run(&self, sql: &'static str) {
        let mut transaction = self.begin().await.expect("a transaction");
        execute!(transaction, sql).expect("done");
        transaction.commit().await.expect("committed");
    }

    /// How many revisions of a connection's metadata are kept.
    pub(crate) async fn count_of_revisions(&self, id: &ConnectionId) -> i64 {
        let mut reader = self.reader().await.expect("a reader");
        fetch_all!(
            reader,
            (i64,),
            "SELECT COUNT(*) FROM metadata_revisions WHERE connection_id = $1",
            id.as_str()
        )
        .expect("a count")[0]
            .0
    }

    /// How many rows each table that a sign-in writes has.
    pub(crate) async fn row_counts(&self) -> Vec<i64> {
        let mut reader = self.reader().await.expect("a reader");
        let rows = fetch_all!(reader, (i64,),
            "SELECT COUNT(*) FROM marks UNION ALL SELECT COUNT(*) FROM users UNION ALL SELECT COUNT(*) FROM identities
             UNION ALL SELECT COUNT(*) FROM memberships UNION ALL SELECT COUNT(*) FROM login_sessions
             UNION ALL SELECT COUNT(*) FROM outbox").expect("counts");
        rows.into_iter().map(|(count,)| count).collect()
    }
}
