//! Sign-ins that race with each other, and with changes of what they stand on; on both databases.

use std::time::Duration;

use tokio::task::JoinHandle;

use super::*;
use crate::people::claim::expectation;
use crate::store::StoreError;
use crate::store::identity::{Identity, IdentityKind};
use crate::store::query::{execute, fetch_all};

/// Logins at once.
const MANY: u64 = 24;

type Login = JoinHandle<Result<SignedIn, Refusal>>;

/// The same scene in each database.
async fn scenes() -> [Scene; 2] {
    let mut connection = row(1, json!({}));
    connection.organization_code = Some(OURS.into());
    [
        Scene::on(TestStore::sqlite().await, connection.clone(), true).await,
        Scene::on(TestStore::postgres().await, connection, true).await,
    ]
}

impl Scene {
    fn spawn(&self, login: Try) -> Login {
        let (store, connection) = ((*self.store).clone(), self.connection.clone());
        tokio::spawn(async move { attempt(&store, &connection, &login).await })
    }

    /// The outcomes of many logins at once, the accepted ones first.
    async fn race(&self, login: impl Fn(u64) -> Try) -> (Vec<SignedIn>, Vec<Refusal>) {
        let logins: Vec<_> = (0..MANY).map(|number| self.spawn(login(number))).collect();
        let (mut accepted, mut refused) = (Vec::new(), Vec::new());
        for login in logins {
            match login.await.unwrap() {
                Ok(signed_in) => accepted.push(signed_in),
                Err(refusal) => refused.push(refusal),
            }
        }
        (accepted, refused)
    }

    async fn events(&self, kind: &str) -> usize {
        let events = self.store.waiting_events(1000).await.unwrap();
        events.iter().filter(|event| event.kind == kind).count()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_first_logins_of_one_person_make_one_user_and_one_member() {
    for scene in scenes().await {
        let (accepted, refused) = scene.race(ann).await;
        assert_eq!((accepted.len() as u64, refused.len()), (MANY, 0));
        assert_eq!(accepted.iter().filter(|one| one.created).count(), 1);
        let first = &accepted[0];
        assert!(
            accepted
                .iter()
                .all(|one| one.user.id == first.user.id && one.identity_id == first.identity_id)
        );
        let many = i64::try_from(MANY).unwrap();
        // Marks, users, identities, memberships, sessions, events: created, joined, and one of each login.
        assert_eq!(
            scene.store.row_counts().await,
            [many, 1, 1, 1, many, many + 2]
        );
        assert_eq!(scene.events("organization.member_added").await, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_submits_of_one_login_one_wins() {
    for scene in scenes().await {
        let (accepted, refused) = scene.race(|_| ann(1)).await;
        assert_eq!(accepted.len(), 1);
        for refusal in refused {
            assert_eq!(refusal, PeopleRefusal::LoginReplayed);
        }
        assert_eq!(scene.store.row_counts().await, [1, 1, 1, 1, 1, 3]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_logins_with_one_assertion_one_wins() {
    for scene in scenes().await {
        scene.attempt(&ann(1000)).await.unwrap();
        let replayed = |number| {
            let mut login = ann(number);
            login.identity.replay = Some(ReplayMark {
                key: [7; 32],
                until: later(300),
            });
            login
        };
        let (accepted, refused) = scene.race(replayed).await;
        assert_eq!(accepted.len(), 1);
        for refusal in refused {
            assert_eq!(refusal, PeopleRefusal::AssertionReplayed);
        }
        assert_eq!(scene.events("user.authenticated").await, 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_identity_that_waits_is_bound_once() {
    for scene in scenes().await {
        let entered = scene.attempt(&ann(1000)).await.unwrap();
        let waiting = Identity {
            id: "identity_waiting".into(),
            user_id: entered.user.id.clone(),
            connection_id: scene.row.id.to_string(),
            issuer: None,
            subject: expectation("bea").unwrap(),
            kind: IdentityKind::Enterprise,
            is_primary: false,
            created_at: now(),
            last_login_at: None,
        };
        scene.store.create_identity(&waiting).await.unwrap();
        let bea = |number| Try {
            identity: identity(1, "bea"),
            ..ann(number)
        };
        let (accepted, refused) = scene.race(bea).await;
        assert_eq!((accepted.len() as u64, refused.len()), (MANY, 0));
        assert!(
            accepted
                .iter()
                .all(|one| one.user.id == entered.user.id && one.identity_id == waiting.id)
        );
        assert_eq!(scene.store.row_counts().await[1..3], [1, 2]);
    }
}

/// A change that was committed first is obeyed, however late the login noticed: the login waits for a change under way.
async fn obeys(change: &'static str, expected: PeopleRefusal) {
    let connection = row(1, json!({}));
    let scene = Scene::on(TestStore::postgres().await, connection, true).await;
    scene.attempt(&ann(1)).await.unwrap();
    let mut transaction = scene.store.begin().await.unwrap();
    for statement in change.split(';') {
        execute!(transaction, sqlx::AssertSqlSafe(statement.to_owned())).unwrap();
    }
    let login = scene.spawn(ann(2));
    until_somebody_waits(&scene.store).await;
    let before = marks_and_events(&scene).await;
    assert!(!login.is_finished());
    transaction.commit().await.unwrap();
    assert_eq!(login.await.unwrap().unwrap_err(), expected, "{change}");
    assert_eq!(marks_and_events(&scene).await, before, "{change}");
}

/// What every login leaves, and no deletion takes away.
async fn marks_and_events(scene: &Scene) -> (i64, i64) {
    let counts = scene.store.row_counts().await;
    (counts[0], counts[5])
}

async fn until_somebody_waits(store: &Store) {
    loop {
        // Each time outside of a transaction, in which the server would show the same activity again.
        let mut reader = store.reader().await.unwrap();
        let waiting = fetch_all!(
            reader,
            (i64,),
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        );
        if waiting.unwrap()[0].0 > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_being_disabled_lets_no_login_through_afterwards() {
    let disable = "UPDATE connections SET status = 'disabled', version = version + 1";
    obeys(disable, PeopleRefusal::ConnectionDisabled).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_being_unlinked_lets_no_login_through_afterwards() {
    let unlink = "UPDATE connections SET links = links + 1; DELETE FROM application_connections";
    obeys(unlink, PeopleRefusal::ConnectionNotEnabled).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_being_deleted_lets_no_login_through_afterwards() {
    obeys("DELETE FROM connections", PeopleRefusal::ConnectionMissing).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_is_being_suspended_is_not_let_through_afterwards() {
    let suspend = "UPDATE users SET is_suspended = TRUE";
    obeys(suspend, PeopleRefusal::UserSuspended).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn logins_and_changes_of_their_connection_all_come_to_an_end() {
    for scene in scenes().await {
        let logins: Vec<_> = (0..MANY).map(|number| scene.spawn(ann(number))).collect();
        for _ in 0..10 {
            scene
                .store
                .link_application("demo", &scene.row.id, true)
                .await
                .unwrap();
        }
        for login in logins {
            login.await.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn a_login_that_always_loses_gives_up() {
    let undone = super::super::Undone::from(StoreError::Raced);
    assert!(undone.is_race());
    // A refusal stays what it was.
    let refused = super::super::Undone::from(Refusal::from(PeopleRefusal::UserUnknown));
    assert!(!refused.is_race());
    let refusal = Refusal::from(StoreError::Raced);
    assert_eq!(refusal, StoreRefusal::Unavailable);
}
