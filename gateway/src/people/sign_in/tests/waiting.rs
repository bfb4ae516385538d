//! Identities that an operator entered beforehand: who claims one, and who does not.

use super::*;
use crate::people::claim::expectation;
use crate::people::user::entered_user;
use crate::store::connection::Beside;
use crate::store::identity::{Identity, IdentityKind};

const USER: &str = "kp_entered";

/// A connection of the domains example.com and bücher.example that makes no users, and an identity of it that waits.
async fn waiting(value: &str) -> Scene {
    let options = json!({
        "is_create_missing_user": false,
        "home_realm_domains": ["example.com", "xn--bcher-kva.example"],
    });
    let scene = Scene::new(options).await;
    let user = entered_user(USER.into(), now());
    scene.store.create_user(&user, None).await.unwrap();
    enter(&scene, "identity_entered", value).await.unwrap();
    scene.store.forget_events().await;
    scene
}

async fn enter(scene: &Scene, id_: &str, value: &str) -> Result<(), crate::store::StoreError> {
    let identity = Identity {
        id: id_.into(),
        user_id: USER.into(),
        connection_id: id(1).to_string(),
        issuer: None,
        subject: expectation(value).unwrap(),
        kind: IdentityKind::Enterprise,
        is_primary: false,
        created_at: now(),
        last_login_at: None,
    };
    scene.store.create_identity(&identity).await
}

fn with_address(handle: u64, subject: &str, address: &str) -> Try {
    let mut login = ann(handle);
    login.identity.subject.value = subject.into();
    login.identity.email.as_mut().unwrap().address = address.into();
    login
}

#[tokio::test]
async fn the_first_login_claims_it_and_is_whom_it_means_from_then_on() {
    for value in ["ann@example.com", "ann"] {
        let scene = waiting(value).await;
        let signed = scene.attempt(&ann(1)).await.unwrap();
        assert_eq!((signed.user.id.as_str(), signed.created), (USER, false));
        let events = scene.store.waiting_events(9).await.unwrap();
        let linked = &events[0];
        assert_eq!(
            (linked.kind.as_str(), &linked.payload["value"]),
            ("identity.linked", &json!(value))
        );
        let thief = with_address(2, "thief", "ann@example.com");
        assert_eq!(scene.refused(&thief).await, PeopleRefusal::UserUnknown);
        // The subject is the person, whatever the address becomes.
        let renamed = with_address(3, "ann", "anna@elsewhere.test");
        assert_eq!(scene.attempt(&renamed).await.unwrap().user.id, USER);
        let mut other_issuer = ann(4);
        other_issuer.identity.subject.issuer = "https://other.test".into();
        assert_eq!(
            scene.refused(&other_issuer).await,
            PeopleRefusal::UserUnknown
        );
    }
}

#[tokio::test]
async fn an_address_is_claimed_in_any_spelling_of_it_and_in_no_other() {
    for (value, address) in [
        ("ann@example.com", "Ann@EXAMPLE.com"),
        ("ANN@Example.Com.", "ann@example.com"),
        ("ann+tag@example.com", "Ann+Tag@example.com"),
        ("ann@bücher.example", "ann@XN--BCHER-KVA.example"),
        ("ann@xn--bcher-kva.example", "ann@BÜCHER.example"),
    ] {
        let scene = waiting(value).await;
        let signed = scene.attempt(&with_address(1, "s", address)).await;
        assert_eq!(signed.unwrap().user.id, USER, "{value} {address}");
    }
    let scene = waiting("ann@example.com").await;
    for (handle, address) in (1..).zip([
        "ann+tag@example.com",
        "a.nn@example.com",
        "аnn@example.com",
        "ａnn@example.com",
        "ann\u{200b}@example.com",
        "ann@example.com.evil.test",
        "ann@sub.example.com",
        "ann@exаmple.com",
        "\"ann@example.com\"@evil.test",
        "ann@example.com@evil.test",
        "ann@example.com ",
        "ann@example.com\0",
        "",
    ]) {
        let login = with_address(handle, "s", address);
        assert_eq!(
            scene.refused(&login).await,
            PeopleRefusal::UserUnknown,
            "{address:?}"
        );
    }
}

#[tokio::test]
async fn an_address_that_changed_at_the_identity_provider_claims_nothing() {
    let scene = waiting("ann@example.com").await;
    // Even where the subject still is the old address.
    let renamed = with_address(1, "ann@example.com", "anna@example.com");
    assert_eq!(scene.refused(&renamed).await, PeopleRefusal::UserUnknown);
}

#[tokio::test]
async fn an_address_that_the_upstream_disowns_claims_nothing() {
    let scene = waiting("ann@example.com").await;
    let mut login = ann(1);
    login.identity.subject.value = "ann@example.com".into();
    login.identity.email.as_mut().unwrap().claim = EmailClaim::Unverified;
    assert_eq!(scene.refused(&login).await, PeopleRefusal::UserUnknown);
    login.identity.email = None;
    assert_eq!(scene.attempt(&login).await.unwrap().user.id, USER);
}

#[tokio::test]
async fn where_everybody_has_an_account_only_a_verified_address_claims() {
    let mut social = opened(&row(1, json!({}))).spec.clone();
    social.strategy = "oauth2:github".into();
    let mut scene = waiting("ann@example.com").await;
    scene.connection.spec = Box::leak(Box::new(social));
    assert_eq!(scene.refused(&ann(1)).await, PeopleRefusal::UserUnknown);
    let mut login = ann(1);
    login.identity.email.as_mut().unwrap().claim = EmailClaim::Verified;
    assert_eq!(scene.attempt(&login).await.unwrap().user.id, USER);
}

#[tokio::test]
async fn a_subject_is_claimed_by_that_very_subject() {
    let scene = waiting("ann").await;
    for (handle, subject) in (1..).zip(["Ann", "ann ", "ａnn", "a", ""]) {
        let login = with_address(handle, subject, "ann@example.com");
        assert_eq!(
            scene.refused(&login).await,
            PeopleRefusal::UserUnknown,
            "{subject:?}"
        );
    }
    assert_eq!(scene.attempt(&ann(9)).await.unwrap().user.id, USER);
}

#[tokio::test]
async fn another_connection_claims_nothing_whatever_it_asserts() {
    let scene = waiting("ann@example.com").await;
    enter(&scene, "identity_subject", "ann").await.unwrap();
    let trusted = json!({ "is_create_missing_user": false, "is_trusted": true });
    let other = row(2, trusted);
    scene.store.add(&other).await;
    scene
        .store
        .link_application("demo", &id(2), true)
        .await
        .unwrap();
    let mut login = ann(1);
    login.identity = identity(2, "ann");
    login.identity.email.as_mut().unwrap().claim = EmailClaim::Verified;
    let refused = attempt(&scene.store, &opened(&other), &login).await;
    assert_eq!(refused.unwrap_err(), PeopleRefusal::UserUnknown);
}

#[tokio::test]
async fn a_domain_taken_from_the_connection_takes_the_claim_along_until_it_is_back() {
    for creates in [false, true] {
        let mut scene = waiting("ann@example.com").await;
        let assign = async |scene: &mut Scene, domains: &[String]| {
            scene.row.options =
                json!({ "is_create_missing_user": creates, "home_realm_domains": domains });
            let beside = Beside {
                domains: Some(domains),
                ..Beside::default()
            };
            let version = scene.row.version;
            scene.row.version = scene
                .store
                .update_connection(&scene.row, version, beside)
                .await
                .unwrap();
        };
        assign(&mut scene, &["other.test".into()]).await;
        assert_eq!(
            scene.refused(&ann(1)).await,
            PeopleRefusal::DomainNotAssigned
        );
        assign(&mut scene, &["example.com".into()]).await;
        assert_eq!(scene.attempt(&ann(1)).await.unwrap().user.id, USER);
        // What is claimed is a subject: no domain is asked for any more.
        assign(&mut scene, &[]).await;
        assert_eq!(scene.attempt(&ann(2)).await.unwrap().user.id, USER);
    }
}

#[tokio::test]
async fn a_suspended_user_claims_nothing_and_a_deleted_one_leaves_nothing_to_claim() {
    let scene = waiting("ann@example.com").await;
    let mut user = entered_user(USER.into(), now());
    user.is_suspended = true;
    user.version = scene.store.update_user(&user, now()).await.unwrap();
    assert_eq!(scene.refused(&ann(1)).await, PeopleRefusal::UserSuspended);
    let identity = scene.store.identity("identity_entered").await.unwrap();
    assert_eq!(identity.unwrap().issuer, None);
    scene.store.delete_user(USER, None, now()).await.unwrap();
    assert_eq!(scene.refused(&ann(1)).await, PeopleRefusal::UserUnknown);
}

#[tokio::test]
async fn whoever_has_a_user_here_keeps_that_one() {
    let scene = Scene::new(json!({ "home_realm_domains": ["example.com"] })).await;
    let own = scene.attempt(&ann(1)).await.unwrap().user.id;
    let user = entered_user(USER.into(), now());
    scene.store.create_user(&user, None).await.unwrap();
    enter(&scene, "identity_entered", "ann@example.com")
        .await
        .unwrap();
    assert_eq!(scene.attempt(&ann(2)).await.unwrap().user.id, own);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_bring_one_address_at_once_one_claims_it() {
    let scene = waiting("ann@example.com").await;
    let tasks: Vec<_> = (0..16)
        .map(|number| {
            let (store, connection) = ((*scene.store).clone(), scene.connection.clone());
            let login = with_address(number, &format!("s{number}"), "ann@example.com");
            tokio::spawn(async move { attempt(&store, &connection, &login).await })
        })
        .collect();
    let mut won = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            Ok(signed) => won.push(signed.user.id),
            Err(refusal) => assert_eq!(refusal, PeopleRefusal::UserUnknown),
        }
    }
    assert_eq!(won, [USER]);
    // One identity, one login: marks, users, identities, memberships, sessions.
    assert_eq!(scene.store.row_counts().await[..5], [1, 1, 1, 0, 1]);
}
