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
use crate::store::identity::{Identity, IdentityKind};
use crate::store::page::PageRequest;
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
        let store = TestStore::sqlite().await;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_submits_of_one_login_one_wins() {
    let scene = Scene::new(json!({})).await;
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (store, connection) = ((*scene.store).clone(), scene.connection.clone());
            tokio::spawn(async move { attempt(&store, &connection, &ann(1)).await })
        })
        .collect();
    let mut won = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => won += 1,
            Err(refusal) => assert_eq!(refusal, PeopleRefusal::LoginReplayed),
        }
    }
    assert_eq!(
        (won, scene.store.row_counts().await),
        (1, vec![1, 1, 1, 0, 1, 2])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_first_logins_of_one_person_make_one_user() {
    let scene = Scene::new(json!({})).await;
    let tasks: Vec<_> = (0..16)
        .map(|handle| {
            let (store, connection) = ((*scene.store).clone(), scene.connection.clone());
            tokio::spawn(async move {
                attempt(&store, &connection, &ann(handle))
                    .await
                    .unwrap()
                    .user
                    .id
            })
        })
        .collect();
    let mut users = Vec::new();
    for task in tasks {
        users.push(task.await.unwrap());
    }
    users.dedup();
    assert_eq!(users.len(), 1);
    assert_eq!(scene.store.row_counts().await[1], 1);
}

#[tokio::test]
async fn without_just_in_time_provisioning_a_stranger_stays_one() {
    let scene = Scene::new(json!({ "is_create_missing_user": false })).await;
    assert_eq!(scene.refused(&ann(1)).await, PeopleRefusal::UserUnknown);
}

#[tokio::test]
async fn one_address_at_two_connections_is_two_users() {
    let scene =
        Scene::new(json!({ "is_trusted": true, "home_realm_domains": ["example.com"] })).await;
    let other = row(2, json!({ "is_trusted": true }));
    scene.store.add(&other).await;
    scene
        .store
        .link_application("demo", &other.id, true)
        .await
        .unwrap();
    let victim = scene.attempt(&ann(1)).await.unwrap();
    let mut login = ann(2);
    login.identity = identity(2, "ann");
    let attacker = attempt(&scene.store, &opened(&other), &login)
        .await
        .unwrap();
    assert_eq!(attacker.user.email, victim.user.email);
    assert_ne!(attacker.user.id, victim.user.id);
    assert!(victim.email_verified && !attacker.email_verified);
}

#[tokio::test]
async fn another_issuer_behind_one_connection_is_another_person() {
    let scene = Scene::new(json!({})).await;
    let first = scene.attempt(&ann(1)).await.unwrap();
    let mut login = ann(2);
    login.identity.subject.issuer = "https://other.test".into();
    assert_ne!(scene.attempt(&login).await.unwrap().user.id, first.user.id);
}

#[tokio::test]
async fn subjects_are_compared_by_the_byte() {
    let scene = Scene::new(json!({})).await;
    let first = scene.attempt(&ann(1)).await.unwrap();
    for (handle, subject) in ["Ann", "ann ", "ann\0", "", "a%", "ａnn"]
        .into_iter()
        .enumerate()
    {
        let mut login = ann(10 + handle as u64);
        login.identity.subject.value = subject.into();
        assert_ne!(
            scene.attempt(&login).await.unwrap().user.id,
            first.user.id,
            "{subject:?}"
        );
    }
}

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
    scene.store.delete_connection(&id(1)).await.unwrap();
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
async fn a_suspended_user_stays_out() {
    let scene = Scene::new(json!({})).await;
    let mut user = scene.attempt(&ann(1)).await.unwrap().user;
    user.is_suspended = true;
    scene.store.update_user(&user, now()).await.unwrap();
    assert_eq!(scene.refused(&ann(2)).await, PeopleRefusal::UserSuspended);
}

fn owned(options: Value) -> StoredConnection {
    let mut owned = row(1, options);
    owned.organization_code = Some(OURS.into());
    owned
}

#[tokio::test]
async fn an_organizations_own_connection_makes_members() {
    let scene = Scene::with(owned(json!({})), false).await;
    let signed = scene.attempt(&ann(1)).await.unwrap();
    assert_eq!(signed.organization.as_deref(), Some(OURS));
    assert_eq!(
        scene.store.memberships(&signed.user.id).await.unwrap(),
        [OURS]
    );
    assert_eq!(
        scene
            .attempt(&ann(2))
            .await
            .unwrap()
            .organization
            .as_deref(),
        Some(OURS)
    );
    assert_eq!(
        scene.store.memberships(&signed.user.id).await.unwrap(),
        [OURS]
    );
}

#[tokio::test]
async fn who_is_no_member_and_becomes_none_is_refused() {
    let scene = Scene::with(
        owned(json!({ "is_auto_join_organization_enabled": false })),
        false,
    )
    .await;
    assert_eq!(scene.refused(&ann(1)).await, PeopleRefusal::NotAMember);
    let mut open = organization(OURS);
    open.is_auto_membership_enabled = true;
    scene.store.update_organization(&open).await.unwrap();
    scene.attempt(&ann(1)).await.unwrap();
}

#[tokio::test]
async fn a_connection_of_one_organization_leads_into_no_other() {
    let scene = Scene::with(owned(json!({})), true).await;
    let mut open = organization(THEIRS);
    open.is_auto_membership_enabled = true;
    scene.store.update_organization(&open).await.unwrap();
    let mut login = ann(1);
    login.organization = Some(THEIRS);
    assert_eq!(
        scene.refused(&login).await,
        PeopleRefusal::OrganizationConnectionNotAllowed
    );
}

#[tokio::test]
async fn an_organization_with_connections_is_locked_to_them() {
    let scene = Scene::new(json!({})).await;
    scene.store.add(&row(2, json!({}))).await;
    scene
        .store
        .link_organization(OURS, &id(2), true)
        .await
        .unwrap();
    let mut login = ann(1);
    login.organization = Some(OURS);
    assert_eq!(
        scene.refused(&login).await,
        PeopleRefusal::OrganizationConnectionNotAllowed
    );
    scene
        .store
        .link_organization(OURS, &id(1), true)
        .await
        .unwrap();
    // A shared connection makes nobody a member: whoever may use it could choose the organization.
    assert_eq!(scene.refused(&login).await, PeopleRefusal::NotAMember);
    let user = scene.attempt(&ann(2)).await.unwrap().user;
    scene.store.add_member(OURS, &user.id, now()).await.unwrap();
    assert_eq!(
        scene.attempt(&login).await.unwrap().organization.as_deref(),
        Some(OURS)
    );
}

#[tokio::test]
async fn an_organization_that_does_not_exist_is_told() {
    let scene = Scene::new(json!({})).await;
    let mut login = ann(1);
    login.organization = Some("org_fffffffffff");
    assert_eq!(
        scene.refused(&login).await,
        PeopleRefusal::OrganizationUnknown
    );
}

#[tokio::test]
async fn names_follow_the_upstream_only_where_that_is_switched_on() {
    for (options, name) in [
        (json!({}), "Ann"),
        (json!({ "is_sync_user_profile_on_login": true }), "Anna"),
    ] {
        let scene = Scene::new(options).await;
        scene.attempt(&ann(1)).await.unwrap();
        let mut login = ann(2);
        login.identity.given_name = Some("Anna".into());
        let user = scene.attempt(&login).await.unwrap().user;
        assert_eq!(user.given_name.as_deref(), Some(name));
        assert_eq!(scene.store.user(&user.id).await.unwrap(), Some(user));
    }
}

#[tokio::test]
async fn trust_taken_back_takes_the_verified_address_back() {
    let mut scene =
        Scene::new(json!({ "is_trusted": true, "home_realm_domains": ["example.com"] })).await;
    assert!(scene.attempt(&ann(1)).await.unwrap().email_verified);
    scene.row.options = json!({ "home_realm_domains": ["example.com"] });
    scene
        .store
        .update_connection(&scene.row, 1, crate::store::connection::Beside::default())
        .await
        .unwrap();
    assert!(!scene.attempt(&ann(2)).await.unwrap().email_verified);
}

/// Enters an identity for a user who exists already, as an operator does.
async fn entered(scene: &Scene, value: &str) -> String {
    let user = crate::people::user::new_user("kp_entered".into(), &identity(1, "x"), false, now());
    scene.store.create_user(&user).await.unwrap();
    let identity = Identity {
        id: "identity_entered".into(),
        user_id: user.id.clone(),
        connection_id: id(1).to_string(),
        issuer: None,
        subject: value.to_owned(),
        kind: IdentityKind::Enterprise,
        created_at: now(),
    };
    scene.store.create_identity(&identity).await.unwrap();
    user.id
}

#[tokio::test]
async fn an_identity_entered_beforehand_is_bound_by_the_first_login() {
    for value in ["ann@example.com", "ann"] {
        let scene = Scene::new(json!({ "is_create_missing_user": false })).await;
        let user_id = entered(&scene, value).await;
        assert_eq!(scene.attempt(&ann(1)).await.unwrap().user.id, user_id);
        let mut thief = ann(2);
        thief.identity.subject.value = "thief".into();
        assert_eq!(scene.refused(&thief).await, PeopleRefusal::UserUnknown);
        assert_eq!(scene.attempt(&ann(3)).await.unwrap().user.id, user_id);
    }
}

#[tokio::test]
async fn an_address_that_the_upstream_disowns_binds_nothing() {
    let scene = Scene::new(json!({ "is_create_missing_user": false })).await;
    entered(&scene, "ann@example.com").await;
    let mut login = ann(1);
    login.identity.email.as_mut().unwrap().claim = EmailClaim::Unverified;
    assert_eq!(scene.refused(&login).await, PeopleRefusal::UserUnknown);
}

#[tokio::test]
async fn an_identity_with_an_empty_issuer_waits_for_nobody() {
    let scene = Scene::new(json!({})).await;
    let mut login = ann(1);
    login.identity.subject.issuer = String::new();
    let user = scene.attempt(&login).await.unwrap().user;
    assert_ne!(scene.attempt(&ann(2)).await.unwrap().user.id, user.id);
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
async fn users_of_one_login_each_are_listed() {
    let scene = Scene::new(json!({})).await;
    scene.attempt(&ann(1)).await.unwrap();
    assert_eq!(
        scene
            .store
            .users(Some("ann@example.com"), PageRequest::default())
            .await
            .unwrap()
            .items
            .len(),
        1
    );
    assert_eq!(scene.store.dependants(&id(1)).await.unwrap().users, 1);
}
