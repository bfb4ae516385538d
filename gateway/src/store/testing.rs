//! What the tests of the store and of what is above it share.

use std::ops::Deref;

use fedgate_certs::Timestamp;
use fedgate_certs::key::SigningAlgorithm;
use fedgate_providers::connection::{Connection, ConnectionId, Options, Status};
use fedgate_providers::spec::Spec;
use fedgate_test_servers::postgres::Database;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::Store;
use super::application::Application;
use super::connection::{Beside, StoredConnection};
use super::organization::Organization;
use super::query::{execute, fetch_all};

/// Which database a test that runs on either takes: `postgres`, or else SQLite. `tests/all` runs them on both.
const CHOICE: &str = "FEDGATE_TEST_STORE";

/// A store that goes away with the value.
pub(crate) struct TestStore {
    store: Store,
    place: Place,
}

/// Where it is.
enum Place {
    File(TempDir),
    Database(Database),
}

impl TestStore {
    /// On the database that the run is about.
    #[expect(clippy::disallowed_methods, reason = "the choice is the tests'")]
    pub(crate) async fn chosen() -> Self {
        match std::env::var(CHOICE).as_deref() {
            Ok("postgres") => Self::postgres().await,
            _ => Self::sqlite().await,
        }
    }

    pub(crate) async fn sqlite() -> Self {
        Self::open(Place::File(TempDir::new().expect("a directory"))).await
    }

    pub(crate) async fn postgres() -> Self {
        Self::open(Place::Database(Database::fresh())).await
    }

    /// Where it is, for another process.
    pub(crate) fn url(&self) -> String {
        self.place.url()
    }

    /// Opens it again, after another process had it.
    #[cfg(feature = "crash-points")]
    pub(crate) async fn reopen(&mut self) {
        self.store.close().await;
        self.store = Store::open(&self.url()).await.expect("a store");
    }

    async fn open(place: Place) -> Self {
        let store = Store::open(&place.url()).await.expect("a store");
        Self { store, place }
    }
}

impl Place {
    fn url(&self) -> String {
        match self {
            Self::File(directory) => {
                format!("sqlite:{}", directory.path().join("fedgate.db").display())
            }
            Self::Database(database) => database.url().to_owned(),
        }
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
        previous_secret: None,
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
        version: 1,
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
    /// Adds a connection, and beside it nothing but the domains in its options.
    pub(crate) async fn add(&self, row: &StoredConnection) {
        let domains: Option<Vec<String>> =
            serde_json::from_value(row.options["home_realm_domains"].clone()).ok();
        let beside = Beside {
            domains: domains.as_deref(),
            ..Beside::default()
        };
        self.create_connection(row, beside)
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

    /// Forgets the events so far.
    pub(crate) async fn forget_events(&self) {
        self.run("DELETE FROM outbox").await;
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
