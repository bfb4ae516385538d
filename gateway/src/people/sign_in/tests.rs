mod admission;
#[cfg(feature = "crash-points")]
mod crash;
mod organizations;
mod people;
mod races;
mod waiting;

use fedgate_providers::connection::{Connection, Status};
use fedgate_providers::error::Refusal;
use fedgate_providers::identity::{
    Email, EmailClaim, ReplayMark, Subject, UpstreamSession, VerifiedIdentity,
};
use fedgate_providers::login::Handle;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::{SignIn, SignedIn, sign_in};
use crate::people::PeopleRefusal;
use crate::store::connection::StoredConnection;
use crate::store::testing::{TestStore, application, id, later, now, opened, organization, row};
use crate::store::{Store, StoreRefusal};

const OURS: &str = "org_0000000000a";
const THEIRS: &str = "org_0000000000b";

/// A store with the application `demo`, two organizations, and connection 1 enabled for `demo`.
struct Scene {
    store: TestStore,
    connection: Connection,
    row: StoredConnection,
}

/// One login, and how it differs from an ordinary one.
#[derive(Clone)]
struct Try {
    identity: VerifiedIdentity,
    handle: u64,
    client_id: &'static str,
    organization: Option<&'static str>,
    by_domain: bool,
}

impl Scene {
    async fn new(options: Value) -> Self {
        Self::with(row(1, options), true).await
    }

    async fn with(row: StoredConnection, enabled: bool) -> Self {
        Self::on(TestStore::chosen().await, row, enabled).await
    }

    async fn on(store: TestStore, row: StoredConnection, enabled: bool) -> Self {
        store
            .create_application(&application("demo"), now())
            .await
            .unwrap();
        store
            .create_organization(&organization(OURS))
            .await
            .unwrap();
        store
            .create_organization(&organization(THEIRS))
            .await
            .unwrap();
        store.add(&row).await;
        if enabled {
            store.link_application("demo", &row.id, true).await.unwrap();
        }
        store.forget_events().await;
        Self {
            store,
            connection: opened(&row),
            row,
        }
    }

    async fn attempt(&self, login: &Try) -> Result<SignedIn, Refusal> {
        attempt(&self.store, &self.connection, login).await
    }

    /// The refusal of a login, after which the tables are as they were.
    async fn refused(&self, login: &Try) -> Refusal {
        let before = self.store.row_counts().await;
        let refusal = self.attempt(login).await.unwrap_err();
        assert_eq!(
            self.store.row_counts().await,
            before,
            "a refused login wrote something"
        );
        refusal
    }
}

async fn attempt(store: &Store, connection: &Connection, login: &Try) -> Result<SignedIn, Refusal> {
    let mut rng = StdRng::seed_from_u64(login.handle);
    let attempt = SignIn {
        identity: &login.identity,
        handle: Handle::random(&mut rng),
        handle_until: later(3600),
        connection,
        client_id: login.client_id,
        asked_organization: login.organization,
        routed_by_domain: login.by_domain,
        now: now(),
    };
    sign_in(store, attempt, &mut rng).await
}

fn identity(number: u32, subject: &str) -> VerifiedIdentity {
    let subject = Subject {
        issuer: "https://idp.test".into(),
        value: subject.into(),
    };
    let mut identity = VerifiedIdentity::unproven(id(number), subject);
    identity.email = Some(Email {
        address: "ann@example.com".into(),
        claim: EmailClaim::Unstated,
        authoritative: false,
    });
    identity.given_name = Some("Ann".into());
    identity
}

/// Ann's login number `handle` through connection 1.
fn ann(handle: u64) -> Try {
    Try {
        identity: identity(1, "ann"),
        handle,
        client_id: "demo",
        organization: None,
        by_domain: false,
    }
}

#[tokio::test]
async fn a_first_login_makes_user_identity_session_and_events() {
    let scene = Scene::new(json!({})).await;
    let mut login = ann(1);
    login.identity.upstream_session = Some(UpstreamSession {
        session: Some("s1".into()),
        ..UpstreamSession::default()
    });
    let signed = scene.attempt(&login).await.unwrap();
    assert!(signed.created && signed.user.id.starts_with("kp_") && signed.user.id.len() == 35);
    assert_eq!(
        scene.store.user(&signed.user.id).await.unwrap(),
        Some(signed.user.clone())
    );
    let identity = scene
        .store
        .identity(&signed.identity_id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (identity.issuer.as_deref(), identity.subject.as_str()),
        (Some("https://idp.test"), "ann")
    );
    let session = scene
        .store
        .login_session(&signed.sid)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (session.user_id, session.upstream_session),
        (signed.user.id, login.identity.upstream_session)
    );
    let events = scene.store.waiting_events(9).await.unwrap();
    assert_eq!(
        events
            .iter()
            .map(|event| event.kind.as_str())
            .collect::<Vec<_>>(),
        ["user.created", "user.authenticated"]
    );
    assert_eq!(events[1].payload["sid"], signed.sid.as_str());
}

#[tokio::test]
async fn the_next_login_finds_the_same_user() {
    let scene = Scene::new(json!({})).await;
    let first = scene.attempt(&ann(1)).await.unwrap();
    let second = scene.attempt(&ann(2)).await.unwrap();
    assert_eq!((second.user.id, second.created), (first.user.id, false));
    assert_ne!(second.sid, first.sid);
}

#[tokio::test]
async fn a_login_counts_once() {
    let scene = Scene::new(json!({})).await;
    scene.attempt(&ann(1)).await.unwrap();
    assert_eq!(scene.refused(&ann(1)).await, PeopleRefusal::LoginReplayed);
}

#[tokio::test]
async fn an_assertion_counts_once_whatever_the_login() {
    let scene = Scene::new(json!({})).await;
    let (mut first, mut second) = (ann(1), ann(2));
    first.identity.replay = Some(ReplayMark {
        key: [7; 32],
        until: later(300),
    });
    second.identity.replay = first.identity.replay.clone();
    scene.attempt(&first).await.unwrap();
    assert_eq!(
        scene.refused(&second).await,
        PeopleRefusal::AssertionReplayed
    );
    assert_eq!(scene.store.row_counts().await[0], 2);
}

#[tokio::test]
async fn a_mark_counts_even_past_its_time_until_it_is_swept() {
    let scene = Scene::new(json!({})).await;
    scene.attempt(&ann(1)).await.unwrap();
    assert_eq!(scene.store.sweep_marks(later(3599)).await.unwrap(), 0);
    assert_eq!(scene.store.sweep_marks(later(3600)).await.unwrap(), 1);
}
